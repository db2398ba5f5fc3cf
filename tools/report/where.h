/*
 * --where: which connections count.
 */
#ifndef TLSWITNESS_WHERE_H
#define TLSWITNESS_WHERE_H

#include "tools/report/subject.h"

/* Of several values for one key any will do; what is no connection always passes. */
bool where_passes(struct subject *subject);

#endif
