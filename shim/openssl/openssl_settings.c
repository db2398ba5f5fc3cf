#include "shim/openssl/openssl_settings.h"

#include <string.h>
#include <strings.h>

#include "shim/openssl/openssl_floor.h"
#include "shim/origin/origin.h"
#include "shim/core/enforcement.h"
#include "shim/core/recorder.h"
#include "shim/core/setting.h"
#include "shim/base/thread.h"

#define HIGHEST TLS_VERSION_1_3 /* what OpenSSL could do */

static void begin(struct setting_words *words, const char *call)
{
	words->text[0] = '\0';
	setting_say(words, call);
	setting_say(words, "(");
}

static void end(struct setting_words *words, const void *owner)
{
	setting_end(words);
	/* libssl calls some of these hooks itself: the application called the outer one. */
	setting_made(words, thread_state.caller, owner);
}

static bool is_watching(void)
{
	return recorder.on;
}

/* "SSL_CTX_set_min_proto_version" of "SSL_CTX_ctrl", as the application's source has it. */
static void begin_bound(struct setting_words *words, const char *call, bool minimum)
{
	words->text[0] = '\0';
	setting_say(words, strcmp(call, "SSL_CTX_ctrl") == 0 ? "SSL_CTX_set_" : "SSL_set_");
	setting_say(words, minimum ? "min_proto_version(" : "max_proto_version(");
}

int openssl_setting_bound(int command, long value)
{
	if (value == 0)
		return 0;
	if (command == SSL_CTRL_SET_MIN_PROTO_VERSION)
		return SSL_CTRL_GET_MIN_PROTO_VERSION;
	return command == SSL_CTRL_SET_MAX_PROTO_VERSION ? SSL_CTRL_GET_MAX_PROTO_VERSION : 0;
}

void openssl_setting_ctrl(const char *call, const void *owner, int command, long value)
{
	struct setting_words words;
	bool minimum = command == SSL_CTRL_SET_MIN_PROTO_VERSION;

	if (!is_watching() || (!minimum && command != SSL_CTRL_SET_MAX_PROTO_VERSION))
		return;
	/* DTLS counts downwards from 0xfeff. */
	if (value < 0 || value > HIGHEST)
		return;
	if (minimum ? !enforcement_is_below_floor(&recorder.policy, (uint16_t)value)
		    : (value == 0 || value >= HIGHEST))
		return;
	begin_bound(&words, call, minimum);
	setting_say_version(&words, (uint16_t)value, "lowest");
	end(&words, owner);
}

struct option_name {
	uint64_t option;
	uint16_t version;
	const char *name;
};

static const struct option_name option_names[] = {
	{SSL_OP_NO_SSLv3, TLS_VERSION_SSL_3_0, "NO_SSLv3"},
	{SSL_OP_NO_TLSv1, TLS_VERSION_1_0, "NO_TLSv1"},
	{SSL_OP_NO_TLSv1_1, TLS_VERSION_1_1, "NO_TLSv1_1"},
	{SSL_OP_NO_TLSv1_2, TLS_VERSION_1_2, "NO_TLSv1_2"},
	{SSL_OP_NO_TLSv1_3, TLS_VERSION_1_3, "NO_TLSv1_3"},
};

#define OPTION_NAMES (sizeof(option_names) / sizeof(option_names[0]))

static void say_options(struct setting_words *words, uint64_t options)
{
	const char *separator = "";

	for (size_t i = 0; i < OPTION_NAMES; i++) {
		if (!(options & option_names[i].option))
			continue;
		setting_say(words, separator);
		setting_say(words, option_names[i].name);
		separator = "|";
	}
}

void openssl_setting_options_set(const char *call, const void *owner, uint64_t options)
{
	struct setting_words words;

	/* What switches off the best versions caps; what switches off the old ones is welcome. */
	options &= SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;
	if (!is_watching() || options == 0)
		return;
	begin(&words, call);
	say_options(&words, options);
	end(&words, owner);
}

void openssl_setting_options_cleared(const char *call, const void *owner, uint64_t options)
{
	struct setting_words words;
	uint64_t below = 0;

	for (size_t i = 0; i < OPTION_NAMES; i++) {
		if (enforcement_is_below_floor(&recorder.policy, option_names[i].version))
			below |= options & option_names[i].option;
	}
	if (!is_watching() || below == 0)
		return;
	begin(&words, call);
	say_options(&words, below);
	end(&words, owner);
}

static void say_method(struct setting_words *words, const char *call, const char *method)
{
	words->text[0] = '\0';
	setting_say(words, call);
	setting_say(words, "(");
	setting_say(words, method);
	setting_end(words);
}

void openssl_setting_place(const SSL_CTX *context)
{
	struct setting_words words;

	if (!thread_state.unplaced.call)
		return;
	say_method(&words, thread_state.unplaced.call, thread_state.unplaced.method);
	if (context == thread_state.unplaced.context)
		setting_made(&words, thread_state.unplaced.caller, thread_state.unplaced.context);
	else
		setting_made_unplaced(&words, thread_state.unplaced.caller,
				      thread_state.unplaced.context);
	thread_state.unplaced.call = NULL;
}

void openssl_setting_method(const char *call, const struct ssl_library *library,
			    const SSL_METHOD *method, const SSL_CTX *context, const void *owner)
{
	struct setting_words words;
	const char *name;

	if (!is_watching())
		return;
	name = openssl_floor_pinned_name(library, method);
	if (!name)
		return;
	openssl_setting_place(NULL);
	if (context && origin_python_has_released()) {
		thread_state.unplaced.call = call;
		thread_state.unplaced.method = name;
		thread_state.unplaced.context = context;
		thread_state.unplaced.caller = thread_state.caller;
		return;
	}
	say_method(&words, call, name);
	setting_made(&words, thread_state.caller, owner);
}

void openssl_setting_security_level(const char *call, const void *owner, int level)
{
	struct setting_words words;

	if (!is_watching() || level > 0)
		return;
	begin(&words, call);
	setting_say(&words, "0");
	end(&words, owner);
}

static bool has_level_zero(const char *ciphers)
{
	return ciphers && strstr(ciphers, "@SECLEVEL=0");
}

void openssl_setting_ciphers(const char *call, const void *owner, const char *ciphers)
{
	struct setting_words words;

	if (!is_watching() || !has_level_zero(ciphers))
		return;
	begin(&words, call);
	setting_say(&words, "@SECLEVEL=0");
	end(&words, owner);
}

/* The versions as SSL_CONF_cmd(3) names them. */
static const struct {
	const char *name;
	int version;
} command_versions[] = {
	{"None", 0},
	{"SSLv3", TLS_VERSION_SSL_3_0},
	{"TLSv1", TLS_VERSION_1_0},
	{"TLSv1.1", TLS_VERSION_1_1},
	{"TLSv1.2", TLS_VERSION_1_2},
	{"TLSv1.3", TLS_VERSION_1_3},
};

#define BLANKS           " \t\r\n\v\f" /* around the elements of a list */
#define COMMAND_VERSIONS (sizeof(command_versions) / sizeof(command_versions[0]))

/* -1 for what is none. */
static int version_of_command(const char *value)
{
	for (size_t i = 0; i < COMMAND_VERSIONS; i++) {
		if (strcmp(command_versions[i].name, value) == 0)
			return command_versions[i].version;
	}
	return -1;
}

static bool is_old(size_t i)
{
	return command_versions[i].version > 0 &&
	       enforcement_is_below_floor(&recorder.policy, command_versions[i].version);
}

/* What one element of a list says of the versions: a bit each. SSLv3 needs its own name. */
static unsigned versions_of_element(const char *name, size_t length)
{
	unsigned all = 0;

	for (size_t i = 1; i < COMMAND_VERSIONS; i++) {
		const char *known = command_versions[i].name;

		if (strlen(known) == length && strncasecmp(known, name, length) == 0)
			return 1U << i;
		if (command_versions[i].version != TLS_VERSION_SSL_3_0)
			all |= 1U << i;
	}
	return length == 3 && strncasecmp(name, "ALL", 3) == 0 ? all : 0;
}

/* "ALL,-TLSv1.3": the last word on a version counts, and one that has none stays as it was. */
static bool list_matters(const char *list)
{
	unsigned allowed = 0;
	unsigned forbidden = 0;

	for (; *list; list += strcspn(list, ","), list += *list == ',') {
		const char *name = list + strspn(list, BLANKS);
		bool minus = *name == '-';
		unsigned named;

		name += minus || *name == '+';
		named = versions_of_element(name, strcspn(name, "," BLANKS));
		forbidden = minus ? forbidden | named : forbidden & ~named;
		allowed = minus ? allowed & ~named : allowed | named;
	}
	for (size_t i = 1; i < COMMAND_VERSIONS; i++) {
		if ((allowed & (1U << i)) && is_old(i))
			return true;
		if ((forbidden & (1U << i)) && command_versions[i].version >= TLS_VERSION_1_2)
			return true;
	}
	return false;
}

/* Commands are named without regard to case in files, and as they are, with '-', in arguments. */
static bool is_command(const char *command, const char *in_file, const char *as_argument)
{
	return strcasecmp(command, in_file) == 0 || strcmp(command, as_argument) == 0;
}

static bool command_matters(const char *command, const char *value)
{
	int version;

	if (strcmp(command, "-no_tls1_2") == 0 || strcmp(command, "-no_tls1_3") == 0)
		return true;
	if (!value)
		return false;
	if (is_command(command, "Protocol", "-protocol"))
		return list_matters(value);
	if (is_command(command, "CipherString", "-cipher"))
		return has_level_zero(value);
	version = version_of_command(value);
	if (is_command(command, "MinProtocol", "-min_protocol"))
		return version >= 0 &&
		       enforcement_is_below_floor(&recorder.policy, (uint16_t)version);
	if (is_command(command, "MaxProtocol", "-max_protocol"))
		return version > 0 && version < HIGHEST;
	return false;
}

void openssl_setting_command(const char *command, const char *value)
{
	struct setting_words words;

	if (!is_watching() || !command || !command_matters(command, value))
		return;
	begin(&words, "SSL_CONF_cmd");
	setting_say(&words, command);
	if (value) {
		setting_say(&words, ", ");
		setting_say(&words, value);
	}
	/* Which context it is for, the library does not say. */
	end(&words, NULL);
}
