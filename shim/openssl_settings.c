#include "openssl_settings.h"

#include <string.h>
#include <strings.h>

#include "openssl_floor.h"
#include "recorder.h"
#include "setting.h"
#include "thread.h"

#define HIGHEST TLS_VERSION_1_3 /* what OpenSSL could do */

static void begin(struct setting_words *words, const char *call)
{
	words->text[0] = '\0';
	setting_say(words, call);
	setting_say(words, "(");
}

static void end(struct setting_words *words)
{
	setting_say(words, ")");
	/* libssl calls some of these doors itself: the application called the outer one. */
	setting_made(words, thread_state.caller);
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

void openssl_setting_ctrl(const char *call, int command, long value)
{
	struct setting_words words;
	bool minimum = command == SSL_CTRL_SET_MIN_PROTO_VERSION;

	if (!is_watching() || (!minimum && command != SSL_CTRL_SET_MAX_PROTO_VERSION))
		return;
	/* DTLS counts downwards from 0xfeff. */
	if (value < 0 || value > HIGHEST)
		return;
	if (minimum ? value >= recorder.config.floor : (value == 0 || value >= HIGHEST))
		return;
	begin_bound(&words, call, minimum);
	setting_say_version(&words, (uint16_t)value, "lowest");
	end(&words);
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

void openssl_setting_options_set(const char *call, uint64_t options)
{
	struct setting_words words;

	/* What switches off the best versions caps; what switches off the old ones is welcome. */
	options &= SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3;
	if (!is_watching() || options == 0)
		return;
	begin(&words, call);
	say_options(&words, options);
	end(&words);
}

void openssl_setting_options_cleared(const char *call, uint64_t options)
{
	struct setting_words words;
	uint64_t below = 0;

	for (size_t i = 0; i < OPTION_NAMES; i++) {
		if (option_names[i].version < recorder.config.floor)
			below |= options & option_names[i].option;
	}
	if (!is_watching() || below == 0)
		return;
	begin(&words, call);
	say_options(&words, below);
	end(&words);
}

void openssl_setting_method(const char *call, const struct ssl_library *library,
			    const SSL_METHOD *method)
{
	struct setting_words words;
	const char *name;

	if (!is_watching() || !library->understood)
		return;
	name = openssl_floor_pinned_name(library, method);
	if (!name)
		return;
	begin(&words, call);
	setting_say(&words, name);
	end(&words);
}

void openssl_setting_security_level(const char *call, int level)
{
	struct setting_words words;

	if (!is_watching() || level > 0)
		return;
	begin(&words, call);
	setting_say(&words, "0");
	end(&words);
}

void openssl_setting_ciphers(const char *call, const char *ciphers)
{
	struct setting_words words;

	if (!is_watching() || !ciphers || !strstr(ciphers, "@SECLEVEL=0"))
		return;
	begin(&words, call);
	setting_say(&words, "@SECLEVEL=0");
	end(&words);
}

/* The versions as SSL_CONF_cmd(3) names them; -1 for what is none. */
static int version_of_command(const char *value)
{
	static const struct {
		const char *name;
		int version;
	} names[] = {
		{"None", 0},
		{"SSLv3", TLS_VERSION_SSL_3_0},
		{"TLSv1", TLS_VERSION_1_0},
		{"TLSv1.1", TLS_VERSION_1_1},
		{"TLSv1.2", TLS_VERSION_1_2},
		{"TLSv1.3", TLS_VERSION_1_3},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].name, value) == 0)
			return names[i].version;
	}
	return -1;
}

static bool command_matters(const char *command, const char *value)
{
	int version;

	if (strcasecmp(command, "Protocol") == 0 || strcmp(command, "-protocol") == 0)
		return true;
	if (strcmp(command, "-no_tls1_2") == 0 || strcmp(command, "-no_tls1_3") == 0)
		return true;
	if (!value)
		return false;
	version = version_of_command(value);
	if (strcasecmp(command, "MinProtocol") == 0 || strcmp(command, "-min_protocol") == 0)
		return version >= 0 && version < recorder.config.floor;
	if (strcasecmp(command, "MaxProtocol") == 0 || strcmp(command, "-max_protocol") == 0)
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
	end(&words);
}
