/*
 * What arrived of each host on each day: as the numbers of records tell, or as an engine says.
 */
#ifndef TLSWITNESS_ARRIVALS_H
#define TLSWITNESS_ARRIVALS_H

#include "tools/report/subject.h"

/* A record that was not there before. */
void arrivals_count(struct subject *subject);

/* What an engine has counted. */
void arrivals_count_told(struct subject *subject);

#endif
