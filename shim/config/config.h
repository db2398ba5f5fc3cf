/*
 * The settings: what they are, their defaults, and how their text is read.
 *
 * Pure: config_load.c feeds it the environment and the file. The command's
 * `run` uses the same reader, so that a value which it lets pass is a value
 * that the recorder takes. Immutable after start, so no lock guards it.
 */
#ifndef TLSWITNESS_CONFIG_H
#define TLSWITNESS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/config/config_exception.h"

#define CONFIG_PORTS_MAX 64
#define CONFIG_PATH_MAX  1024
#define CONFIG_NAME_MAX  128

/* The prefix of the variables in the environment. */
#define CONFIG_PREFIX "TLSWITNESS_"
#define CONFIG_FILE   "/etc/tlswitness/tlswitness.conf"
#define CONFIG_LOG    "/var/log/tlswitness/"

enum config_mode {
#define MODE(name, text, meaning) MODE_##name,
#include "shim/record/record_values.def"
};

enum config_plaintext {
	PLAINTEXT_REFUSE_REMOTE, /* loopback may stay clear */
	PLAINTEXT_REFUSE,
	PLAINTEXT_RECORD,
};

enum config_log {
	LOG_FILE,
	LOG_DIRECTORY, /* one file per user in it */
	LOG_SYSLOG,
	LOG_JOURNALD,
	LOG_DATAGRAM, /* a unix datagram socket */
};

struct config {
	bool off;
	enum config_mode mode;
	uint16_t floor; /* enum tls_version */
	bool scope_all;
	enum config_plaintext plaintext;
	unsigned port_count;
	uint16_t ports[CONFIG_PORTS_MAX];
	enum config_log log_kind;
	char service[CONFIG_NAME_MAX]; /* "" if unset */
	/* Whom the file's `only` lines are asked about, and what they said. */
	const char *program; /* the process's executable; NULL: none is known */
	uint32_t user;       /* its real user */
	bool has_only;
	bool is_meant; /* one of them names this process, or the system */
	/* Of the file alone, in its order: the first that applies counts. */
	unsigned exception_count;
	/* No more of these is written than there is of them: they are whole pages of each process.
	 */
	char log[CONFIG_PATH_MAX]; /* path of the file, directory or socket */
	struct config_exception exception[CONFIG_EXCEPTIONS_MAX];
};

/* Where a message goes; long enough for every message of this file. */
#define CONFIG_MESSAGE_MAX 256

void config_defaults(struct config *config);

/*
 * Takes one setting by its short lower-case name ("floor"). On a name or value
 * that is none: false, `config` as it was, and in `message` one sentence that
 * names the setting, the value and what is allowed.
 */
bool config_set(struct config *config, const char *name, const char *value,
		char message[CONFIG_MESSAGE_MAX]);

/*
 * Takes what stands behind `only =` in the settings file, where the loader preloads
 * the recorder into every process: "system", "program:/usr/bin/php8.2", "user:33". As
 * config_set; `program` and `user` must be known.
 */
bool config_only(struct config *config, const char *value, char message[CONFIG_MESSAGE_MAX]);

/*
 * Takes what stands behind `exception =` in the settings file, as
 * config_exception.h has it; whose program it is about does not matter here. As
 * config_set: what can't be read is no exception.
 */
bool config_exception(struct config *config, const char *value, char message[CONFIG_MESSAGE_MAX]);

/* Forgets the exceptions that are about another program than `program` (NULL: not known). */
void config_keep_exceptions_of(struct config *config, const char *program);

/*
 * Takes one line of the settings file ("floor = 1.2"; blank and `#` lines are
 * nothing). Cuts it up in place. As config_set.
 */
bool config_line(struct config *config, char *line, char message[CONFIG_MESSAGE_MAX]);

bool config_is_mail_port(const struct config *config, uint16_t port);

#endif
