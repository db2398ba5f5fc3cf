/*
 * Proof before promise: does a process start with the recorder, and do its
 * hooks work?
 */
#ifndef TLSWITNESS_TRIAL_H
#define TLSWITNESS_TRIAL_H

#include <stdbool.h>

#include "tools/host/edit.h"

/*
 * Runs a small program of the root with the recorder preloaded: it must start,
 * end with 0 and say nothing. False with a complaint.
 */
bool trial_starts(const struct host *host);

/*
 * Has a process of ours, with the recorder, speak SMTP to a server of ours: is
 * the record there? `why` gets a few words where it is not. Our own root alone.
 */
bool trial_is_recorded(const struct host *host, char why[256]);

/* The client of that trial, in the process of its own. */
int trial_client(const char *port);

#endif
