/*
 * The parts of `tlswitness check` that its command puts together.
 */
#ifndef TLSWITNESS_CHECK_H
#define TLSWITNESS_CHECK_H

#include <stdbool.h>

#include "shim/config/config.h"
#include "tools/check/process.h"
#include "tools/check/root.h"
#include "tools/check/target.h"

/* For each of these: 0 if it is witnessed, 1 if not, 2 if the output could not be written. */
int check_show_target(const struct target *target, bool json);
int check_show_process(const struct process *process, bool json);

/*
 * Every process with a connection to a mail port, now or within the next
 * `seconds`: 0 if all are witnessed, 1 if one is not, 2 with a complaint.
 */
int check_all(const struct config *config, unsigned long seconds, bool json);

#endif
