/*
 * What to change, in one plain sentence.
 */
#ifndef TLSWITNESS_ADVICE_H
#define TLSWITNESS_ADVICE_H

#include "report.h"

/* The language of a program by its interpreter, or by the name of the file. */
enum report_language advice_language(struct slice executable, struct slice file);

/*
 * A sentence for `place`, whose other members must be set; `floor` is the version
 * to reach, `supports` what its servers are proven to support (VERSION_CLEAR if
 * nothing is), `executable` the binary that ran. Free it with free.
 */
char *advice_for(const struct report_place *place, enum report_version floor,
		 enum report_version supports, struct slice executable);

#endif
