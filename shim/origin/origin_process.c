/*
 * Asks the kernel who this process is. Everything is read once, at start, but
 * for the parent, which can change.
 */
#include "shim/origin/origin_process.h"

#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shim/base/sys.h"
#include "shim/base/text.h"

/* An interpreter and its options that take the next argument as their value. */
struct interpreter {
	const char *name; /* the executable's name begins with it */
	const char *with_value;
	const char *no_script; /* options that mean that there is no script */
	const char *script;    /* options whose value is the script */
};

static const struct interpreter interpreters[] = {
	{"python", "WX", "cm", ""},      {"pypy", "WX", "cm", ""},   {"perl", "I", "eE", ""},
	{"php", "dcztES", "rBRi", "fF"}, {"ruby", "CEIrF", "e", ""}, {"node", "r", "epi", ""},
};

static const struct interpreter *find_interpreter(const char *name)
{
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		if (strncmp(name, interpreters[i].name, strlen(interpreters[i].name)) == 0)
			return &interpreters[i];
	}
	return NULL;
}

int origin_script_argument(const char *name, int argc, char **argv)
{
	const struct interpreter *interpreter = find_interpreter(name);

	if (!interpreter)
		return 0;
	for (int i = 1; i < argc; i++) {
		const char *argument = argv[i];
		char option;

		if (argument[0] != '-')
			return i;
		if (strcmp(argument, "-") == 0)
			return 0;
		if (strcmp(argument, "--") == 0)
			return i + 1 < argc ? i + 1 : 0;
		if (argument[1] == '-')
			continue;
		option = argument[1];
		if (strchr(interpreter->script, option))
			return argument[2] == '\0' && i + 1 < argc ? i + 1 : 0;
		/* Options may stand together (`python -Ec`): the last letter decides. */
		for (const char *letter = argument + 1; *letter; letter++) {
			if (strchr(interpreter->no_script, *letter))
				return 0;
			if (strchr(interpreter->with_value, *letter)) {
				i += letter[1] == '\0';
				break;
			}
			if (strcmp(interpreter->name, "perl") == 0 && strchr("MmiCDx0lF", *letter))
				break; /* perl's values stand in the same argument */
		}
	}
	return 0;
}

/* `path` as seen from the root, without touching the file system but for the current directory. */
static void make_absolute(char *absolute, size_t room, const char *path)
{
	absolute[0] = '\0';
	while (path[0] == '.' && path[1] == '/')
		path += 2;
	if (path[0] != '/') {
		if (sys_getcwd(absolute, room) <= 0 || absolute[0] != '/')
			absolute[0] = '\0';
		else if (absolute[1] != '\0')
			text_append(absolute, room, "/");
	}
	text_append(absolute, room, path);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void read_link(const char *path, char target[ORIGIN_PATH_MAX])
{
	ssize_t length = sys_readlink(path, target, ORIGIN_PATH_MAX - 1);

	target[length > 0 ? length : 0] = '\0';
}

void origin_executable_of(pid_t pid, char path[ORIGIN_PATH_MAX])
{
	char link[32] = "/proc/";

	text_append_number(link, sizeof(link), (uint64_t)pid);
	text_append(link, sizeof(link), "/exe");
	read_link(link, path);
}

void origin_process_read(struct origin_process *process, int argc, char **argv)
{
	struct utsname name;
	int script;

	memset(process, 0, sizeof(*process));
	read_link("/proc/self/exe", process->executable);
	if (sys_uname(&name) == 0)
		text_append(process->host, sizeof(process->host), name.nodename);
	if (argc < 1 || !argv || !argv[0])
		return;
	script = origin_script_argument(base_name(process->executable), argc, argv);
	if (script > 0)
		make_absolute(process->script, sizeof(process->script), argv[script]);
}
