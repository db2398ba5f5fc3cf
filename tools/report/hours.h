/*
 * The hours of an aggregate, each with what was counted in it.
 */
#ifndef TLSWITNESS_HOURS_H
#define TLSWITNESS_HOURS_H

#include "tools/report/aggregate.h"

/* The hour of this number since 1970; good until another one is asked for. */
struct hour *hour_at(struct aggregate *aggregate, int64_t number);

#endif
