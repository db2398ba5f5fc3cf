/*
 * Knows how each kind of program gets its environment; changes nothing itself.
 */
#include "tools/host/target.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/options.h"
#include "tools/base/table.h"

#define POSTFIX_MAIN "/etc/postfix/main.cf"
#define CRON_PAM     "/etc/pam.d/cron"
#define ENVIRONMENT  "/etc/tlswitness/environment"
#define APACHE_VARS  "/etc/apache2/envvars"

/* Postfix 3.7's own, for where postconf can't be asked. */
#define POSTFIX_IMPORTS                                                                    \
	"MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE " \
	"POSTLOG_HOSTNAME"

const char host_target_names[] = "system, unit:NAME, postfix, exim4, php-fpm[:POOL], apache2, "
				 "cron, user:NAME, program:PATH";

static char *format(const char *form, const char *a, const char *b)
{
	char *made = NULL;

	/* NOLINTNEXTLINE(clang-diagnostic-format-nonliteral) */
	if (asprintf(&made, form, a, b) < 0)
		table_out_of_memory();
	return made;
}

/* Takes the text over. */
static void add_change(struct host_plan *plan, const char *path, char *text)
{
	struct change *change;

	if (plan->change_count == HOST_CHANGES_MAX) {
		free(text);
		return;
	}
	change = &plan->change[plan->change_count++];
	(void)snprintf(change->path, sizeof(change->path), "%s", path);
	change->text = text;
}

static void add_restart(struct host_plan *plan, const char *unit)
{
	if (plan->restart_count < HOST_CHANGES_MAX)
		(void)snprintf(plan->restart[plan->restart_count++], sizeof(plan->restart[0]), "%s",
			       unit);
}

/* Our part in a file of somebody else's, which must be there. */
static bool change_part(struct host_plan *plan, const struct host *host, const char *path,
			const char *lines)
{
	bool exists;
	char *text = edit_read(host, path, &exists);

	if (!text)
		return false;
	if (!exists && lines) {
		complain("%s%s is not there; is that program installed?", host->root.path, path);
		free(text);
		return false;
	}
	if (exists)
		add_change(plan, path, edit_with_part(text, "#", lines));
	free(text);
	return true;
}

/* ---- by the loader itself; whom for is in the settings ---- */

static bool plan_only(struct host_plan *plan, const char *form, const char *value)
{
	char *only = format(form, value, "");

	(void)snprintf(plan->only, sizeof(plan->only), "%s", only);
	free(only);
	return true;
}

static bool plan_system(struct host_plan *plan, const struct host *host, const char *argument,
			bool on)
{
	(void)host;
	(void)argument;
	(void)on;
	return plan_only(plan, "system%s%s", "");
}

static bool plan_program(struct host_plan *plan, const struct host *host, const char *argument,
			 bool on)
{
	char path[PATH_MAX];

	if (argument[0] != '/' || strpbrk(argument, "\n#")) {
		complain("program:%s: give the program's absolute path", argument);
		return false;
	}
	if (!root_resolve(&host->root, argument, path)) {
		if (on) {
			complain("program:%s: there is no such program", argument);
			return false;
		}
		(void)snprintf(path, sizeof(path), "%s", argument);
	}
	(void)snprintf(plan->target, sizeof(plan->target), "program:%.400s", path);
	return plan_only(plan, "program:%s%s", path);
}

static bool plan_exim4(struct host_plan *plan, const struct host *host, const char *argument,
		       bool on)
{
	/* Set-user-ID root: only the loader's own preload reaches all ways in which it is started.
	 */
	(void)argument;
	if (!plan_program(plan, host, "/usr/sbin/exim4", on))
		return false;
	(void)snprintf(plan->target, sizeof(plan->target), "exim4");
	add_restart(plan, "exim4.service");
	return true;
}

/* The user's number by the root's own passwd(5). */
static bool find_user(const struct host *host, const char *name, char number[32])
{
	char *text = root_read(&host->root, "/etc/passwd", 4U << 20, NULL);
	size_t length = strlen(name);
	bool found = false;

	for (char *line = text; line && *line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *at = line + length;

		if (strncmp(line, name, length) != 0 || *at != ':' || !(at = strchr(at + 1, ':')))
			continue;
		(void)snprintf(number, 32, "%.*s", (int)strspn(at + 1, "0123456789"), at + 1);
		found = number[0] != '\0';
		break;
	}
	free(text);
	return found;
}

static bool plan_user(struct host_plan *plan, const struct host *host, const char *argument,
		      bool on)
{
	char number[32];

	(void)on;
	if (argument[0] && argument[strspn(argument, "0123456789")] == '\0')
		(void)snprintf(number, sizeof(number), "%.31s", argument);
	else if (!argument[0] || !find_user(host, argument, number)) {
		complain("user:%s: there is no such user", argument);
		return false;
	}
	(void)snprintf(plan->target, sizeof(plan->target), "user:%s", number);
	return plan_only(plan, "user:%s%s", number);
}

/* ---- by the environment ---- */

static bool is_unit_name(const char *name)
{
	return name[0] && name[0] != '.' &&
	       name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 ":-_.@\\")] == '\0';
}

static void add_unit(struct host_plan *plan, const struct host *host, const char *unit, bool on)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "/etc/systemd/system/%.200s.d/tlswitness.conf", unit);
	add_change(plan, path,
		   on ? format("# tlswitness enable: this file is its own\n[Service]\n"
			       "Environment=LD_PRELOAD=%s%s\n",
			       host->recorder, "")
		      : NULL);
	add_restart(plan, unit);
}

static bool plan_unit(struct host_plan *plan, const struct host *host, const char *argument,
		      bool on)
{
	char unit[256];

	if (!is_unit_name(argument)) {
		complain("unit:%s is no name of a unit", argument);
		return false;
	}
	(void)snprintf(unit, sizeof(unit), "%.200s%s", argument,
		       strchr(argument, '.') ? "" : ".service");
	if (strlen(unit) < 8 || strcmp(unit + strlen(unit) - 8, ".service") != 0) {
		complain("unit:%s: only a service has an environment", argument);
		return false;
	}
	(void)snprintf(plan->target, sizeof(plan->target), "unit:%s", unit);
	add_unit(plan, host, unit, on);
	return true;
}

struct fpm_search {
	struct host_plan *plan;
	const struct host *host;
	bool on;
	unsigned count;
};

/* "/etc/php/8.2/fpm/..." -> php8.2-fpm.service */
static bool add_fpm(void *context, const char *path)
{
	struct fpm_search *search = context;
	const char *version = path + strlen("/etc/php/");
	char unit[64];

	(void)snprintf(unit, sizeof(unit), "php%.*s-fpm.service",
		       (int)strspn(version, "0123456789."), version);
	add_unit(search->plan, search->host, unit, search->on);
	search->count++;
	return true;
}

/* The pools of one master are forks of it, so that they have what it has. */
static bool plan_php_fpm(struct host_plan *plan, const struct host *host, const char *argument,
			 bool on)
{
	struct fpm_search search = {plan, host, on, 0};
	char pattern[256];

	if (strpbrk(argument, "/*?[")) {
		complain("php-fpm:%s is no name of a pool", argument);
		return false;
	}
	if (*argument)
		(void)snprintf(pattern, sizeof(pattern), "/etc/php/*/fpm/pool.d/%.100s.conf",
			       argument);
	else
		(void)snprintf(pattern, sizeof(pattern), "/etc/php/*/fpm/php-fpm.conf");
	root_glob(&host->root, pattern, add_fpm, &search);
	if (search.count == 0 && on) {
		complain("php-fpm: there is no %s%s", host->root.path, pattern);
		return false;
	}
	return true;
}

static bool plan_apache2(struct host_plan *plan, const struct host *host, const char *argument,
			 bool on)
{
	char *lines = on ? format("export LD_PRELOAD=%s%s\n", host->recorder, "") : NULL;
	bool ok = change_part(plan, host, APACHE_VARS, lines);

	(void)argument;
	free(lines);
	add_restart(plan, "apache2.service");
	return ok;
}

/* The last `import_environment` of the text outside our part, its continuation lines joined. */
static char *postfix_imports(const char *text)
{
	static const char name[] = "import_environment";
	char *found = strdup(POSTFIX_IMPORTS);

	for (const char *at = text; at && *at;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		const char *value = at + strlen(name);
		size_t length;

		if (strncmp(at, name, strlen(name)) != 0)
			continue;
		value += strspn(value, " \t");
		if (*value != '=')
			continue;
		value += 1 + strspn(value + 1, " \t");
		/* A line that begins with a blank goes on. */
		for (length = strcspn(value, "\n"); value[length] == '\n' &&
						    strchr(" \t", value[length + 1]) &&
						    value[length + 1];)
			length += 1 + strcspn(value + length + 1, "\n");
		free(found);
		found = strndup(value, length);
		for (char *byte = found; byte && *byte; byte++)
			if (strchr("\n\t", *byte))
				*byte = ' ';
	}
	if (!found)
		table_out_of_memory();
	return found;
}

/* Postfix's master scrubs the environment of all that it starts; it imports NAME=VALUE. */
static bool plan_postfix(struct host_plan *plan, const struct host *host, const char *argument,
			 bool on)
{
	bool exists;
	char *text = edit_read(host, POSTFIX_MAIN, &exists);
	char *without = text ? edit_with_part(text, "#", NULL) : NULL;
	char *imports = without ? postfix_imports(without) : NULL;
	char *lines = NULL;
	bool ok = text != NULL;

	(void)argument;
	if (ok && on)
		lines = format("import_environment = %s LD_PRELOAD=%s\n", imports, host->recorder);
	ok = ok && change_part(plan, host, POSTFIX_MAIN, lines);
	add_restart(plan, "postfix.service");
	free(text);
	free(without);
	free(imports);
	free(lines);
	return ok;
}

/* cron gives its jobs what PAM has for them. */
static bool plan_cron(struct host_plan *plan, const struct host *host, const char *argument,
		      bool on)
{
	(void)argument;
	if (on)
		add_change(plan, ENVIRONMENT, format("LD_PRELOAD=%s%s\n", host->recorder, ""));
	if (!change_part(plan, host, CRON_PAM,
			 on ? "session optional pam_env.so envfile=" ENVIRONMENT "\n" : NULL))
		return false;
	if (!on)
		add_change(plan, ENVIRONMENT, NULL);
	return true;
}

/* ---- the table ---- */

static const struct target_kind {
	const char *name;
	bool takes_argument;
	bool needs_argument;
	bool (*plan)(struct host_plan *plan, const struct host *host, const char *argument,
		     bool on);
} kinds[] = {
	{"system", false, false, plan_system},   {"unit", true, true, plan_unit},
	{"postfix", false, false, plan_postfix}, {"exim4", false, false, plan_exim4},
	{"php-fpm", true, false, plan_php_fpm},  {"apache2", false, false, plan_apache2},
	{"cron", false, false, plan_cron},       {"user", true, true, plan_user},
	{"program", true, true, plan_program},
};

bool host_target_plan(struct host_plan *plan, const struct host *host, const char *target, bool on)
{
	size_t length = strcspn(target, ":");
	const char *argument = target[length] == ':' ? target + length + 1 : "";

	memset(plan, 0, sizeof(*plan));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strlen(kinds[i].name) != length || strncmp(kinds[i].name, target, length) != 0)
			continue;
		if ((target[length] == ':' && !kinds[i].takes_argument) ||
		    (kinds[i].needs_argument && !*argument))
			break;
		(void)snprintf(plan->target, sizeof(plan->target), "%.500s", target);
		return kinds[i].plan(plan, host, argument, on);
	}
	complain("'%s' is no target; there are %s", target, host_target_names);
	return false;
}

void host_plan_free(struct host_plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		free(plan->change[i].text);
	plan->change_count = 0;
}
