/*
 * Feeds the settings file and the environment to config.c.
 */
#include "shim/config/config_load.h"

#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "shim/base/sys.h"

#define FILE_MAX 8192

/* Keeps "place: message", cut to its room. */
static void add_error(struct config_errors *errors, const char *place, const char *message)
{
	char *text;
	size_t place_length = strnlen(place, CONFIG_MESSAGE_MAX / 2);
	size_t length = strnlen(message, CONFIG_MESSAGE_MAX - 3 - place_length);

	if (errors->count == CONFIG_ERRORS_MAX)
		return;
	text = errors->message[errors->count++];
	memcpy(text, place, place_length);
	memcpy(text + place_length, ": ", 2);
	memcpy(text + place_length + 2, message, length);
	text[place_length + 2 + length] = '\0';
}

/* Reads the file's first FILE_MAX - 1 bytes as a string; 0 where there is none. */
static size_t read_file(const char *path, char text[FILE_MAX])
{
	int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
	size_t length = 0;

	if (fd < 0)
		return 0;
	while (length < FILE_MAX - 1) {
		ssize_t got = sys_read(fd, text + length, FILE_MAX - 1 - length);

		if (got <= 0)
			break;
		length += (size_t)got;
	}
	sys_close(fd);
	text[length] = '\0';
	return length;
}

static void load_file(struct config *config, struct config_errors *errors)
{
	char text[FILE_MAX];
	char message[CONFIG_MESSAGE_MAX];
	char program[CONFIG_PATH_MAX];
	char *line = text;
	size_t length = read_file(CONFIG_FILE, text);
	ssize_t program_length;

	if (length == 0)
		return;
	program_length = sys_readlink("/proc/self/exe", program, sizeof(program) - 1);
	if (program_length > 0) {
		program[program_length] = '\0';
		config->program = program;
	}
	while (line) {
		char *end = strchr(line, '\n');

		if (end)
			*end++ = '\0';
		else if (length == FILE_MAX - 1) {
			/* The rest of this line is not here: it may mean something else. */
			add_error(errors, CONFIG_FILE,
				  "what is behind its first 8 KiB is not read");
			break;
		}
		if (!config_line(config, line, message))
			add_error(errors, CONFIG_FILE, message);
		line = end;
	}
	config_keep_exceptions_of(config, config->program);
	config->program = NULL;
}

/*
 * The path of a log as the environment may have it, relative to where the
 * program starts: it is the same file wherever the program goes from there.
 */
static const char *absolute_log(const char *value, char path[CONFIG_PATH_MAX])
{
	size_t length = strlen(value);
	ssize_t directory;

	/* syslog:, journald: and unix: are no paths. */
	if (value[0] == '/' || strchr(value, ':'))
		return value;
	directory = sys_getcwd(path, CONFIG_PATH_MAX); /* with its NUL */
	if (directory <= 0 || path[0] != '/' || (size_t)directory + length >= CONFIG_PATH_MAX)
		return value;
	path[directory - 1] = '/';
	memcpy(path + directory, value, length + 1);
	return path;
}

/* Takes "TLSWITNESS_MODE=enforce"; an empty value is as if the variable were not there. */
static void load_variable(struct config *config, struct config_errors *errors, const char *variable)
{
	char name[32];
	char path[CONFIG_PATH_MAX];
	char message[CONFIG_MESSAGE_MAX];
	const char *value;
	const char *equals = strchr(variable, '=');
	size_t length;

	if (!equals || equals[1] == '\0')
		return;
	length = (size_t)(equals - variable);
	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	for (size_t i = 0; i < length; i++)
		name[i] = (char)(variable[i] >= 'A' && variable[i] <= 'Z' ? variable[i] - 'A' + 'a'
									  : variable[i]);
	name[length] = '\0';
	/* Not for people: what origin_caller.h hands over. */
	if (strcmp(name, "caller") == 0)
		return;
	value = strcmp(name, "log") == 0 ? absolute_log(equals + 1, path) : equals + 1;
	if (!config_set(config, name, value, message))
		add_error(errors, "environment", message);
}

/*
 * The file's `only` lines are about the loader's own preload (/etc/ld.so.preload), which puts us
 * into every process. Who names us in LD_PRELOAD wants us.
 */
static void obey_only(struct config *config, char **environment)
{
	static const char preload[] = "LD_PRELOAD=";

	if (!config->has_only || config->is_meant)
		return;
	for (char **variable = environment; variable && *variable; variable++) {
		if (strncmp(*variable, preload, sizeof(preload) - 1) == 0 &&
		    strstr(*variable, "libtlswitness.so"))
			return;
	}
	config->off = true;
}

void config_load(struct config *config, struct config_errors *errors, char **environment)
{
	static const size_t prefix_length = sizeof(CONFIG_PREFIX) - 1;
	char **trusted = getauxval(AT_SECURE) ? NULL : environment;

	config_defaults(config);
	config->user = (uint32_t)getauxval(AT_UID);
	errors->count = 0;
	load_file(config, errors);
	for (char **variable = trusted; variable && *variable; variable++) {
		if (strncmp(*variable, CONFIG_PREFIX, prefix_length) == 0)
			load_variable(config, errors, *variable + prefix_length);
	}
	obey_only(config, trusted);
}
