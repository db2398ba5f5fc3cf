/*
 * Where the settings come from: the environment over the settings file.
 */
#ifndef TLSWITNESS_CONFIG_LOAD_H
#define TLSWITNESS_CONFIG_LOAD_H

#include "shim/config/config.h"

#define CONFIG_ERRORS_MAX 8

/* What could not be taken; those settings keep their safe defaults. */
struct config_errors {
	unsigned count;
	char message[CONFIG_ERRORS_MAX][CONFIG_MESSAGE_MAX];
};

/*
 * Reads /etc/tlswitness/tlswitness.conf, then the environment, which wins; a
 * process that runs with more rights than its caller (AT_SECURE: set-user-ID,
 * set-group-ID, file capabilities) reads the file only. For the start of the
 * process: not thread-safe, no allocation.
 */
void config_load(struct config *config, struct config_errors *errors, char **environment);

#endif
