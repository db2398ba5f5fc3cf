/*
 * Which view wants what of a record.
 */
#ifndef TLSWITNESS_VIEWS_H
#define TLSWITNESS_VIEWS_H

#include "tools/report/subject.h"

/* The words of a view's key, and a bit for each that is a text. */
size_t view_words(enum view view, const struct aggregate_options *options);
uint64_t view_texts(enum view view, const struct aggregate_options *options);

/* Counts a record in all views that want it. */
void views_count(struct subject *subject);

/* A connection of the time that is compared with; its facts are known. */
void views_count_compared(struct subject *subject);

#endif
