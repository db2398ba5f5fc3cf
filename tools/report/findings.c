/*
 * What happened to programs that somebody has to look at, and how often.
 */
#include "tools/report/advice.h"
#include "tools/report/builder.h"

struct finding_key {
	uint32_t program;
	uint32_t destination;
	uint32_t text;
};

static int compare_findings(const void *a, const void *b)
{
	const struct report_finding *first = a;
	const struct report_finding *second = b;
	int order = compare_counts(first->records, second->records);

	if (order == 0)
		order = slice_compare(first->program, second->program);
	if (order == 0)
		order = slice_compare(first->destination, second->destination);
	return order ? order : slice_compare(first->text, second->text);
}

enum finding_text { TEXT_REASON, TEXT_CERTIFICATE, TEXT_EXCEPTION };

/* How one list of findings is made of cells. */
struct finding_rule {
	bool (*wanted)(uint32_t facts); /* NULL: what an exception applied to */
	bool with_destination;
	enum finding_text text;
	struct report_findings *(*list)(struct report *report);
};

static bool is_connection(uint32_t facts)
{
	return action_is_connection(fact_get(facts, FACT_ACTION));
}

static bool is_plaintext(uint32_t facts)
{
	return is_connection(facts) && fact_get(facts, FACT_VERDICT) == VERDICT_PLAINTEXT;
}

static bool is_failure(uint32_t facts)
{
	enum entry_verdict verdict = fact_get(facts, FACT_VERDICT);

	return is_connection(facts) && (verdict == VERDICT_FAILED || verdict == VERDICT_REFUSED);
}

/* Not CERTIFICATE_CHAIN_ONLY: that the program did not compare the name is not known of it. */
static bool is_unverified(uint32_t facts)
{
	return is_connection(facts) && fact_get(facts, FACT_CERTIFICATE) > CERTIFICATE_CHAIN_ONLY;
}

static bool is_blind_spot(uint32_t facts)
{
	return fact_get(facts, FACT_ACTION) == ACTION_BLIND_SPOT;
}

static bool is_lost(uint32_t facts)
{
	return fact_get(facts, FACT_ACTION) == ACTION_LOST;
}

static bool is_configuration_error(uint32_t facts)
{
	return fact_get(facts, FACT_ACTION) == ACTION_CONFIGURATION_ERROR;
}

static struct report_findings *plaintext_list(struct report *report)
{
	return &report->plaintext;
}

static struct report_findings *failures_list(struct report *report)
{
	return &report->failures;
}

static struct report_findings *certificates_list(struct report *report)
{
	return &report->certificates;
}

static struct report_findings *exceptions_list(struct report *report)
{
	return &report->exceptions;
}

static struct report_findings *blind_spots_list(struct report *report)
{
	return &report->blind_spots;
}

static struct report_findings *lost_list(struct report *report)
{
	return &report->lost;
}

static struct report_findings *configuration_errors_list(struct report *report)
{
	return &report->configuration_errors;
}

static const struct finding_rule finding_rules[] = {
	{is_plaintext, true, TEXT_REASON, plaintext_list},
	{is_failure, true, TEXT_REASON, failures_list},
	{is_unverified, true, TEXT_CERTIFICATE, certificates_list},
	{NULL, true, TEXT_EXCEPTION, exceptions_list},
	{is_blind_spot, false, TEXT_REASON, blind_spots_list},
	{is_lost, false, TEXT_REASON, lost_list},
	{is_configuration_error, false, TEXT_REASON, configuration_errors_list},
};

/* The number of a text, or of a state. */
static uint32_t text_number(const struct finding_rule *rule, const struct cell *cell)
{
	switch (rule->text) {
	case TEXT_CERTIFICATE:
		return fact_get(cell->key[FINDINGS_FACTS], FACT_CERTIFICATE);
	case TEXT_EXCEPTION:
		return cell->key[FINDINGS_EXCEPTION];
	default:
		return cell->key[FINDINGS_REASON];
	}
}

static bool is_wanted(const struct finding_rule *rule, const struct cell *cell)
{
	return rule->wanted ? rule->wanted(cell->key[FINDINGS_FACTS])
			    : cell->key[FINDINGS_EXCEPTION] != 0;
}

static void add_finding(struct builder *builder, const struct finding_rule *rule, struct rows *rows,
			const struct cell *cell)
{
	struct finding_key key = {
		.program = cell->key[FINDINGS_PROGRAM],
		.destination = rule->with_destination ? cell->key[FINDINGS_DESTINATION] : 0,
		.text = text_number(rule, cell),
	};
	struct report_finding *finding = row_of(rows, &key);

	if (finding->records == 0) {
		finding->program = text_of(builder, key.program);
		finding->destination = text_of(builder, key.destination);
		finding->text = rule->text == TEXT_CERTIFICATE
					? slice_of(entry_certificate_name(key.text))
					: text_of(builder, key.text);
		finding->first = cell->first;
		finding->last = cell->last;
		if (rule->wanted == is_failure)
			finding->advice = advice_for_failure(finding->text);
	}
	finding->records += cell->records;
	if (cell->first < finding->first)
		finding->first = cell->first;
	if (cell->last > finding->last)
		finding->last = cell->last;
}

void build_findings(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_FINDINGS);

	for (size_t i = 0; i < sizeof(finding_rules) / sizeof(finding_rules[0]); i++) {
		const struct finding_rule *rule = &finding_rules[i];
		struct report_findings *list = rule->list(builder->report);
		struct rows rows = ROWS_OF(struct finding_key, struct report_finding);

		for (size_t k = 0; k < cells->count; k++) {
			const struct cell *cell = cell_of(cells, k);

			if (is_wanted(rule, cell))
				add_finding(builder, rule, &rows, cell);
		}
		list->row = rows_release(&rows, &list->count);
		sort_top(list->row, list->count, sizeof(list->row[0]), builder->options->top_lists,
			 compare_findings);
		for (size_t row = 0; row < list->count; row++)
			list->records += list->row[row].records;
	}
}
