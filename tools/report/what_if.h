/*
 * What would have become of a connection had a floor been enforced.
 */
#ifndef TLSWITNESS_WHAT_IF_H
#define TLSWITNESS_WHAT_IF_H

#include "tools/log/entry.h"
#include "tools/log/values.h"

/* `version` and `verdict` are the record's own. */
enum entry_verdict what_if(const struct entry *entry, enum entry_version version,
			   enum entry_verdict verdict, enum entry_version floor);

#endif
