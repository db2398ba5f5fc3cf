/*
 * What is enabled, whether it works, and who must be restarted for it.
 */
#ifndef TLSWITNESS_STATUS_H
#define TLSWITNESS_STATUS_H

#include "tools/host/edit.h"

/* 0: all is well; 1: not; 2: it could not be told. */
int host_show_status(const struct host *host, bool restart);

/* Where systemd runs, and the root is ours: it reads its units anew, and restarts one. */
void host_reload_systemd(const struct host *host);
void host_restart(const struct host *host, const char *unit);

#endif
