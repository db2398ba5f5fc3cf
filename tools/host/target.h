/*
 * What can be enabled, and which files that changes.
 */
#ifndef TLSWITNESS_HOST_TARGET_H
#define TLSWITNESS_HOST_TARGET_H

#include <stdbool.h>

#include "tools/host/edit.h"

#define HOST_CHANGES_MAX 16

struct change {
	char path[PATH_MAX];
	char *text; /* what the file is to be; NULL: gone */
};

/* Made by host_target_plan, freed by host_plan_free. */
struct host_plan {
	char target[512]; /* in full: "unit:postfix.service" */
	char only[512];   /* the settings' `only`; "": not preloaded by the loader */
	char restart[HOST_CHANGES_MAX][256]; /* systemd's units */
	size_t restart_count;
	struct change change[HOST_CHANGES_MAX]; /* beside the settings; in the order of enabling */
	size_t change_count;
};

/*
 * What is to be done for `target` ("system", "unit:NAME", ...). False, with a
 * complaint that names the remedy, if there is no such target on this host.
 */
bool host_target_plan(struct host_plan *plan, const struct host *host, const char *target, bool on);
void host_plan_free(struct host_plan *plan);

/* "system, unit:NAME, ...", for help and complaints. */
extern const char host_target_names[];

#endif
