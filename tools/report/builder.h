/*
 * What the makers of the report's tables share: rows by their keys, orders, texts that
 * live as long as the report. Every table is made alike: a numbering gives each key its
 * row, the cells of a view are added to their rows, the rows are sorted.
 */
#ifndef TLSWITNESS_BUILDER_H
#define TLSWITNESS_BUILDER_H

#include "tools/base/timestamp.h"
#include "tools/report/aggregate.h"
#include "tools/report/model.h"
#include "tools/report/rollup.h"

struct builder {
	const struct aggregate *aggregate;
	const struct rollup_options *options;
	struct report *report;
	struct arena *texts; /* the report's own */
};

/* One maker for each part of the report; each is in the file of its name. */
void build_totals(struct builder *builder);
void build_groups(struct builder *builder);
void build_names(struct builder *builder);
void build_hosts_and_services(struct builder *builder);
void build_findings(struct builder *builder);
void build_places(struct builder *builder);
void build_periods(struct builder *builder);
void build_readiness(struct builder *builder);
void build_certificates(struct builder *builder);
void build_ciphers(struct builder *builder);
void build_deliveries(struct builder *builder);
void build_comparison(struct builder *builder);

/* Rows of one size, as many as a numbering has keys; new ones are zero. */
struct rows {
	struct numbering numbering;
	char *row;
	size_t row_size;
	size_t capacity;
};

#define ROWS_OF(key_type, row_type) \
	((struct rows){.numbering = {.key_size = sizeof(key_type)}, .row_size = sizeof(row_type)})

/* For keys of several words, as they are in a cell. */
#define ROWS_OF_WORDS(words, row_type)                                        \
	((struct rows){.numbering = {.key_size = (words) * sizeof(uint32_t)}, \
		       .row_size = sizeof(row_type)})

void *row_of(struct rows *rows, const void *key);

/* Frees the numbering and hands over the rows. */
void *rows_release(struct rows *rows, size_t *count);

void sort(void *rows, size_t count, size_t size, int (*compare)(const void *, const void *));

/*
 * Sorts what will be looked at: all rows, or with `top` only that many, which then are
 * the first in their order, and the others behind them in any.
 */
void sort_top(void *rows, size_t count, size_t size, size_t top,
	      int (*compare)(const void *, const void *));

/* The most first. */
int compare_counts(uint64_t a, uint64_t b);

/* Worst verdict first, then the most of it, then the most connections. */
int compare_tallies(const struct report_tally *a, const struct report_tally *b);

static inline const struct cells *view_of(const struct builder *builder, enum view view)
{
	return &builder->aggregate->view[view];
}

static inline struct slice text_of(const struct builder *builder, uint32_t number)
{
	return interned_text(&builder->aggregate->texts, number);
}

/* Adds a cell of connections whose facts are `facts`. */
void tally_cell(struct report_tally *tally, const struct cell *cell, uint32_t facts);

/* A copy that lives as long as the report. */
struct slice keep_text(struct builder *builder, const char *text, size_t length);

/* "file:line function", as far as it is known. */
struct slice keep_place_text(struct builder *builder, struct slice file, uint64_t line,
			     struct slice function);

#endif
