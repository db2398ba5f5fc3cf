/*
 * Small facts about tallies.
 */
#include "tools/report/model.h"

enum entry_verdict report_worst(const struct report_tally *tally)
{
	unsigned verdict = ENTRY_VERDICTS - 1;

	while (verdict > 0 && tally->verdict[verdict] == 0)
		verdict--;
	return verdict;
}

void report_tally_count(struct report_tally *tally, enum entry_version version,
			enum entry_verdict verdict, uint64_t connections, int64_t first,
			int64_t last)
{
	if (tally->connections == 0 || first < tally->first)
		tally->first = first;
	if (tally->connections == 0 || last > tally->last)
		tally->last = last;
	tally->connections += connections;
	tally->version[version] += connections;
	tally->verdict[verdict] += connections;
}

void report_tally_add(struct report_tally *tally, const struct report_tally *more)
{
	if (tally->connections == 0 || more->first < tally->first)
		tally->first = more->first;
	if (tally->connections == 0 || more->last > tally->last)
		tally->last = more->last;
	tally->connections += more->connections;
	for (int i = 0; i < ENTRY_VERSIONS; i++)
		tally->version[i] += more->version[i];
	for (int i = 0; i < ENTRY_VERDICTS; i++)
		tally->verdict[i] += more->verdict[i];
}
