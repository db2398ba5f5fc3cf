/*
 * Reads the text of settings. Knows no file and no environment.
 */
#include "shim/config/config.h"

#include <stddef.h>
#include <string.h>
#include <sys/un.h>

#include "shim/record/tls_names.h"

#define DEFAULT_PORTS "25,465,587,2465,2525,2587"

struct setting {
	const char *name;
	const char *allowed;
	bool (*take)(struct config *config, const char *value);
};

struct word {
	const char *text;
	int value;
};

static bool find_word(const struct word *words, size_t count, const char *text, int *value)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i].text, text) == 0) {
			*value = words[i].value;
			return true;
		}
	}
	return false;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Not <ctype.h>'s: what a digit is does not depend on the host's locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool copy(char *to, size_t room, const char *from)
{
	size_t length = strlen(from);

	if (length == 0 || length >= room)
		return false;
	memcpy(to, from, length + 1);
	return true;
}

static bool set_off(struct config *config, const char *value)
{
	static const struct word words[] = {{"0", false}, {"1", true}};
	int off;

	if (!find_word(words, COUNT(words), value, &off))
		return false;
	config->off = off;
	return true;
}

static bool set_mode(struct config *config, const char *value)
{
	static const struct word words[] = {
#define MODE(name, text, meaning) {text, MODE_##name},
#include "shim/record/record_values.def"
	};
	int mode;

	if (!find_word(words, COUNT(words), value, &mode))
		return false;
	config->mode = (enum config_mode)mode;
	return true;
}

static bool set_floor(struct config *config, const char *value)
{
	uint16_t floor = tls_version_from_name(value);

	if (floor == 0)
		return false;
	config->floor = floor;
	return true;
}

static bool set_scope(struct config *config, const char *value)
{
	static const struct word words[] = {{"smtp", false}, {"all", true}};
	int all;

	if (!find_word(words, COUNT(words), value, &all))
		return false;
	config->scope_all = all;
	return true;
}

static bool set_plaintext(struct config *config, const char *value)
{
	static const struct word words[] = {
		{"refuse-remote", PLAINTEXT_REFUSE_REMOTE},
		{"refuse", PLAINTEXT_REFUSE},
		{"record", PLAINTEXT_RECORD},
	};
	int plaintext;

	if (!find_word(words, COUNT(words), value, &plaintext))
		return false;
	config->plaintext = (enum config_plaintext)plaintext;
	return true;
}

/* One decimal port from 1 to 65535; moves `text` behind it. */
static bool read_port(const char **text, uint16_t *port)
{
	unsigned value = 0;
	const char *at = *text;

	while (is_digit(*at) && value <= UINT16_MAX)
		value = value * 10 + (unsigned)(*at++ - '0');
	if (at == *text || value == 0 || value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	*text = at;
	return true;
}

static bool set_ports(struct config *config, const char *value)
{
	uint16_t ports[CONFIG_PORTS_MAX];
	unsigned count = 0;

	for (;;) {
		while (*value == ' ')
			value++;
		if (count == CONFIG_PORTS_MAX || !read_port(&value, &ports[count]))
			return false;
		count++;
		while (*value == ' ')
			value++;
		if (*value == '\0')
			break;
		if (*value++ != ',')
			return false;
	}
	memcpy(config->ports, ports, sizeof(ports[0]) * count);
	config->port_count = count;
	return true;
}

/*
 * A path that ends in a slash is a directory; whether any other one is, only
 * the file system knows, and output.c asks it.
 */
static bool set_log(struct config *config, const char *value)
{
	if (strcmp(value, "syslog:") == 0) {
		config->log_kind = LOG_SYSLOG;
		return copy(config->log, sizeof(config->log), "/dev/log");
	}
	if (strcmp(value, "journald:") == 0) {
		config->log_kind = LOG_JOURNALD;
		return copy(config->log, sizeof(config->log), "/run/systemd/journal/socket");
	}
	if (strncmp(value, "unix:", 5) == 0) {
		if (value[5] != '/' ||
		    strlen(value + 5) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
			return false;
		config->log_kind = LOG_DATAGRAM;
		return copy(config->log, sizeof(config->log), value + 5);
	}
	if (value[0] != '/' || strlen(value) >= sizeof(config->log))
		return false;
	config->log_kind = value[strlen(value) - 1] == '/' ? LOG_DIRECTORY : LOG_FILE;
	return copy(config->log, sizeof(config->log), value);
}

static bool set_service(struct config *config, const char *value)
{
	return copy(config->service, sizeof(config->service), value);
}

static const struct setting settings[] = {
	{"log", "an absolute path of a file or directory, syslog:, journald: or unix:/path",
	 set_log},
	{"mode", "audit, enforce or upgrade", set_mode},
	{"floor", "1.0, 1.1, 1.2 or 1.3", set_floor},
	{"scope", "smtp or all", set_scope},
	{"ports", "up to 64 ports from 1 to 65535, with commas between them", set_ports},
	{"plaintext", "refuse-remote, refuse or record", set_plaintext},
	{"service", "a name of 1 to 127 bytes", set_service},
	{"off", "0 or 1", set_off},
};

void config_defaults(struct config *config)
{
	memset(config, 0, offsetof(struct config, log));
	config->floor = tls_version_from_name("1.2");
	set_ports(config, DEFAULT_PORTS);
	set_log(config, CONFIG_LOG);
}

/* Appends to a message, cutting what does not fit. */
static void say(char message[CONFIG_MESSAGE_MAX], const char *text, size_t most)
{
	size_t used = strlen(message);
	size_t length = strnlen(text, most);

	if (length > CONFIG_MESSAGE_MAX - 1 - used)
		length = CONFIG_MESSAGE_MAX - 1 - used;
	memcpy(message + used, text, length);
	message[used + length] = '\0';
}

bool config_set(struct config *config, const char *name, const char *value,
		char message[CONFIG_MESSAGE_MAX])
{
	message[0] = '\0';
	for (size_t i = 0; i < COUNT(settings); i++) {
		if (strcmp(settings[i].name, name) != 0)
			continue;
		if (settings[i].take(config, value))
			return true;
		say(message, "'", 1);
		say(message, value, 60);
		say(message, "' is no value of ", 20);
		say(message, name, 40);
		say(message, "; allowed: ", 20);
		say(message, settings[i].allowed, 100);
		return false;
	}
	say(message, "'", 1);
	say(message, name, 60);
	say(message, "' is no setting; there are", 40);
	for (size_t i = 0; i < COUNT(settings); i++) {
		say(message, i ? ", " : " ", 2);
		say(message, settings[i].name, 20);
	}
	return false;
}

/* Ends `text` behind its last visible byte and returns its first. */
static char *trim(char *text)
{
	size_t length;

	while (is_space(*text))
		text++;
	length = strlen(text);
	while (length > 0 && is_space(text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* Decimal digits alone. */
static bool read_user(const char *text, uint32_t *user)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || value > UINT32_MAX)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	*user = (uint32_t)value;
	return value <= UINT32_MAX;
}

bool config_only(struct config *config, const char *value, char message[CONFIG_MESSAGE_MAX])
{
	uint32_t user = 0;

	message[0] = '\0';
	/* A line that can't be read names nobody: it never widens whom we are in. */
	config->has_only = true;
	if (strcmp(value, "system") == 0) {
		config->is_meant = true;
	} else if (strncmp(value, "program:/", 9) == 0) {
		if (config->program && strcmp(value + 8, config->program) == 0)
			config->is_meant = true;
	} else if (strncmp(value, "user:", 5) == 0 && read_user(value + 5, &user)) {
		if (user == config->user)
			config->is_meant = true;
	} else {
		say(message, "'", 1);
		say(message, value, 60);
		say(message, "' is no value of only; allowed: system, program:/PATH or user:NUMBER",
		    80);
		return false;
	}
	return true;
}

bool config_exception(struct config *config, const char *value, char message[CONFIG_MESSAGE_MAX])
{
	struct config_exception *next = &config->exception[config->exception_count];
	const char *wrong = "there is room for 32 alone";

	message[0] = '\0';
	if (config->exception_count < CONFIG_EXCEPTIONS_MAX)
		wrong = config_exception_parse(next, value);
	if (!wrong) {
		config->exception_count++;
		return true;
	}
	say(message, "'", 1);
	say(message, value, 80);
	say(message, "' is no exception: ", 20);
	say(message, wrong, 100);
	return false;
}

void config_keep_exceptions_of(struct config *config, const char *program)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < config->exception_count; i++) {
		const struct config_exception *exception = &config->exception[i];

		if (exception->program.length > 0 &&
		    (!program || !config_exception_word_is(exception, exception->program, program)))
			continue;
		if (kept != i)
			config->exception[kept] = *exception;
		kept++;
	}
	config->exception_count = kept;
}

bool config_line(struct config *config, char *line, char message[CONFIG_MESSAGE_MAX])
{
	char *name = trim(line);
	char *equals;

	if (*name == '\0' || *name == '#')
		return true;
	equals = strchr(name, '=');
	if (!equals) {
		message[0] = '\0';
		say(message, "'", 1);
		say(message, name, 60);
		say(message, "' is no line of the form name = value", 60);
		return false;
	}
	*equals = '\0';
	if (strcmp(trim(name), "only") == 0)
		return config_only(config, trim(equals + 1), message);
	if (strcmp(name, "exception") == 0)
		return config_exception(config, trim(equals + 1), message);
	return config_set(config, trim(name), trim(equals + 1), message);
}

bool config_is_mail_port(const struct config *config, uint16_t port)
{
	for (unsigned i = 0; i < config->port_count; i++) {
		if (config->ports[i] == port)
			return true;
	}
	return false;
}
