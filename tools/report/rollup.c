/*
 * Knows which maker makes which part of the report; must not know how.
 */
#include "tools/report/rollup.h"

#include <stdlib.h>

#include "tools/report/builder.h"

/* The report and what its slices need; a report is always the first member of one. */
struct owned_report {
	struct report report;
	struct arena texts;
};

struct report *rollup(const struct aggregate *aggregate, const struct rollup_options *options)
{
	struct owned_report *owned = table_allocate(sizeof(*owned));
	struct builder builder = {
		.aggregate = aggregate,
		.options = options,
		.report = &owned->report,
		.texts = &owned->texts,
	};
	const struct aggregate_options *counted = aggregate->options;
	unsigned wants = aggregate->options->wants;

	memset(owned, 0, sizeof(*owned));
	memcpy(owned->report.by, counted->by, sizeof(counted->by));
	owned->report.by_count = counted->by_count;
	owned->report.what_if = counted->what_if;
	owned->report.what_if_floor = counted->floor;
	owned->report.filter = counted->filter;
	build_totals(&builder);
	if (counted->required != VERSION_CLEAR)
		build_readiness(&builder);
	if (wants & WANT_GROUPS)
		build_groups(&builder);
	if (wants & WANT_PLACES)
		build_places(&builder);
	if (wants & (WANT_NAMES | WANT_PAIRS))
		build_names(&builder);
	if (wants & (WANT_NAMES | WANT_PAIRS | WANT_HOSTS))
		build_hosts_and_services(&builder);
	if (wants & WANT_FINDINGS)
		build_findings(&builder);
	if (wants & WANT_PERIODS)
		build_periods(&builder);
	if (wants & WANT_CERTIFICATES)
		build_certificates(&builder);
	if (wants & WANT_CIPHERS)
		build_ciphers(&builder);
	if (wants & WANT_DELIVERY)
		build_deliveries(&builder);
	if (counted->compares)
		build_comparison(&builder);
	return &owned->report;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->place_count; i++)
		free(report->places[i].settings);
	free(report->readiness.row);
	free(report->groups);
	free(report->places);
	free(report->programs);
	free(report->destinations);
	free(report->hosts);
	free(report->services);
	free(report->pairs);
	free(report->plaintext.row);
	free(report->failures.row);
	free(report->certificates.row);
	free(report->exceptions.row);
	free(report->blind_spots.row);
	free(report->lost.row);
	free(report->configuration_errors.row);
	free(report->hours);
	free(report->days);
	free(report->gaps);
	free(report->server_certificates);
	free(report->ciphers);
	free(report->deliveries);
	free(report->losses);
	free(report->silences);
	free(report->comparison.row);
	free(report->inputs);
	arena_free(&((struct owned_report *)(void *)report)->texts);
	free(report);
}
