/*
 * The options that choose records, for all subcommands that read them.
 */
#ifndef TLSWITNESS_FILTER_OPTIONS_H
#define TLSWITNESS_FILTER_OPTIONS_H

#include "tools/log/filter.h"

/* getopt_long's codes; a subcommand's own begin behind the last. */
enum filter_option {
	FILTER_SINCE = 0x1000,
	FILTER_UNTIL,
	FILTER_PROGRAM,
	FILTER_TO,
	FILTER_SERVICE,
	FILTER_HOST,
	FILTER_VERDICT,
	FILTER_OPTIONS_END,
};

/* For a table of struct option. */
#define FILTER_LONG_OPTIONS                                           \
	{"since", required_argument, NULL, FILTER_SINCE},             \
		{"until", required_argument, NULL, FILTER_UNTIL},     \
		{"program", required_argument, NULL, FILTER_PROGRAM}, \
		{"to", required_argument, NULL, FILTER_TO},           \
		{"service", required_argument, NULL, FILTER_SERVICE}, \
		{"host", required_argument, NULL, FILTER_HOST},       \
	{                                                             \
		"verdict", required_argument, NULL, FILTER_VERDICT    \
	}

/* How --help explains them. */
#define FILTER_HELP                                                                       \
	"Which records:\n"                                                                \
	"  --since TIME, --until TIME   2026-11-23, '2026-11-23 14:00', 14:00, today,\n"  \
	"                               yesterday, or so long ago: 2h, 30min, 3d; all\n"  \
	"                               in this machine's time zone, and shown in UTC\n"  \
	"  --program GLOB     the script or executable, its path or its name\n"           \
	"  --to GLOB          the destination's domain or address\n"                      \
	"  --service GLOB, --host GLOB\n"                                                 \
	"  --verdict LIST     of ok, at-risk, below-floor, plaintext, refused, failed,\n" \
	"                     no-mail\n"

/*
 * Takes the option `code` into `filter`; times are relative to `now`. Globs are
 * borrowed. False, with a complaint made, if its value is none.
 */
bool filter_take_option(struct filter *filter, int code, const char *argument, int64_t now);

/* A list of verdicts for the option of this name; false with a complaint. */
bool filter_take_verdicts(const char *option, const char *list, bool verdict[ENTRY_VERDICTS]);

#endif
