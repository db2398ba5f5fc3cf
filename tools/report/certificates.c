/*
 * The servers' certificates, what ends first, first; and the cipher suites.
 */
#include "tools/report/builder.h"

static int compare_certificates(const void *a, const void *b)
{
	const struct report_certificate *first = a;
	const struct report_certificate *second = b;
	int order = 0;

	/* What has no end that anybody saw comes last. */
	if (first->has_end != second->has_end)
		return first->has_end ? -1 : 1;
	if (first->has_end && first->end != second->end)
		return first->end < second->end ? -1 : 1;
	order = slice_compare(first->destination, second->destination);
	if (order == 0)
		order = slice_compare(first->subject, second->subject);
	if (order == 0)
		order = slice_compare(first->issuer, second->issuer);
	if (order == 0)
		order = slice_compare(first->not_after, second->not_after);
	return order ? order : (int)first->check - (int)second->check;
}

static void add_certificate(struct builder *builder, struct report_certificate *row,
			    const struct cell *cell)
{
	const struct aggregate_options *options = builder->aggregate->options;

	row->destination = text_of(builder, cell->key[CERTIFICATES_DESTINATION]);
	row->subject = text_of(builder, cell->key[CERTIFICATES_SUBJECT]);
	row->issuer = text_of(builder, cell->key[CERTIFICATES_ISSUER]);
	row->not_after = text_of(builder, cell->key[CERTIFICATES_NOT_AFTER]);
	row->check = fact_get(cell->key[CERTIFICATES_FACTS], FACT_CERTIFICATE);
	row->connections = cell->records;
	row->last = cell->last;
	row->has_end = timestamp_parse(row->not_after, &row->end);
	row->expiring =
		options->has_expiring && row->has_end && row->end < options->expiring_before;
	builder->report->expiring += row->expiring;
}

void build_certificates(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_CERTIFICATES);
	struct report *report = builder->report;

	report->has_expiring = builder->aggregate->options->has_expiring;
	report->expiring_before = builder->aggregate->options->expiring_before;
	report->server_certificate_count = cells->count;
	report->server_certificates =
		table_allocate((cells->count + 1) * sizeof(*report->server_certificates));
	memset(report->server_certificates, 0,
	       (cells->count + 1) * sizeof(*report->server_certificates));
	for (size_t i = 0; i < cells->count; i++)
		add_certificate(builder, &report->server_certificates[i], cell_of(cells, i));
	sort(report->server_certificates, cells->count, sizeof(*report->server_certificates),
	     compare_certificates);
}

static int compare_ciphers(const void *a, const void *b)
{
	const struct report_cipher *first = a;
	const struct report_cipher *second = b;
	int order = compare_counts(first->tally.connections, second->tally.connections);

	if (order == 0)
		order = slice_compare(first->cipher, second->cipher);
	return order ? order : slice_compare(first->group, second->group);
}

void build_ciphers(struct builder *builder)
{
	const struct cells *cells = view_of(builder, VIEW_CIPHERS);
	struct report *report = builder->report;
	struct rows rows = ROWS_OF_WORDS(CIPHERS_FACTS, struct report_cipher);

	for (size_t i = 0; i < cells->count; i++) {
		const struct cell *cell = cell_of(cells, i);
		struct report_cipher *row = row_of(&rows, cell->key);

		row->cipher = text_of(builder, cell->key[CIPHERS_CIPHER]);
		row->group = text_of(builder, cell->key[CIPHERS_GROUP]);
		tally_cell(&row->tally, cell, cell->key[CIPHERS_FACTS]);
	}
	report->ciphers = rows_release(&rows, &report->cipher_count);
	sort(report->ciphers, report->cipher_count, sizeof(report->ciphers[0]), compare_ciphers);
}
