/*
 * What to change, in one plain sentence.
 */
#ifndef TLSWITNESS_ADVICE_H
#define TLSWITNESS_ADVICE_H

#include <stdio.h>

#include "tools/report/model.h"

/*
 * How a program is told which versions it may use: by its interpreter, or by the name of
 * the file; with `by_curl`, by the options of libcurl in that language.
 */
enum report_language advice_language(struct slice executable, struct slice file, bool by_curl);

/* What to do about a connection that failed for `reason`; NULL if nothing is known. Static. */
const char *advice_for_failure(struct slice reason);

/* What a protocol setting does, for who does not know OpenSSL: "allows nothing above TLS 1.1". */
void advice_put_setting(FILE *out, struct slice call);

#define ADVICE_SERVERS_NAMED 3

/* Some servers, for a sentence: those with the most connections, and how many there are. */
struct advice_servers {
	struct slice name[ADVICE_SERVERS_NAMED];
	size_t count;
};

/* What the report does not keep of a place, but a sentence needs. */
struct advice_facts {
	struct slice executable;        /* the binary that ran */
	enum entry_version floor;       /* the version to reach */
	enum entry_version supports;    /* what a server is proven to support; else VERSION_CLEAR */
	struct advice_servers clear;    /* those that got mail in the clear */
	struct advice_servers limiting; /* those that chose less than was offered */
};

/*
 * A sentence for each reason why the connections of `place` (whose language must be
 * set) are not ok, the worst first. Free it with free.
 */
char *advice_for(const struct report_place *place, const struct advice_facts *facts);

#endif
