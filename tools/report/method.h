/*
 * How the figures of a report came about, and what they can't be of: for whoever has to
 * rely on it. Plain text, of ASCII without anything that HTML would have to escape.
 */
#ifndef TLSWITNESS_METHOD_H
#define TLSWITNESS_METHOD_H

#define REPORT_METHOD_PARAGRAPHS 3

extern const char *const report_method[REPORT_METHOD_PARAGRAPHS];

#endif
