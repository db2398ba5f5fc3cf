/*
 * Knows names and fields; must not know how groups are counted.
 */
#include "tools/report/keys.h"

static const struct {
	const char *name;
	const char *title; /* heads a column */
	enum key_kind kind;
	enum entry_field field;
} keys[REPORT_KEYS] = {
	[KEY_PROGRAM] = {"program", "PROGRAM", KEY_IS_PROGRAM, 0},
	[KEY_DESTINATION] = {"destination", "DESTINATION", KEY_IS_DESTINATION, 0},
	[KEY_VERSION] = {"version", "TLS", KEY_IS_VERSION, 0},
	[KEY_VERDICT] = {"verdict", "VERDICT", KEY_IS_VERDICT, 0},
	[KEY_PLACE] = {"place", "PLACE", KEY_IS_PLACE, 0},
	[KEY_HOST] = {"host", "HOST", KEY_IS_TEXT, ENTRY_host},
	[KEY_SERVICE] = {"service", "SERVICE", KEY_IS_TEXT, ENTRY_service},
	[KEY_USER] = {"user", "USER", KEY_IS_TEXT, ENTRY_user},
	[KEY_HOUR] = {"hour", "HOUR (UTC)", KEY_IS_HOUR, 0},
	[KEY_DAY] = {"day", "DAY (UTC)", KEY_IS_DAY, 0},
	[KEY_CIPHER] = {"cipher", "CIPHER", KEY_IS_TEXT, ENTRY_cipher},
	[KEY_GROUP] = {"group", "GROUP", KEY_IS_TEXT, ENTRY_curve},
	[KEY_REASON] = {"reason", "REASON", KEY_IS_TEXT, ENTRY_reason},
	[KEY_PORT] = {"port", "PORT", KEY_IS_TEXT, ENTRY_destination_port},
	[KEY_MODE] = {"mode", "MODE", KEY_IS_TEXT, ENTRY_mode},
	[KEY_FLOOR] = {"floor", "FLOOR", KEY_IS_TEXT, ENTRY_floor},
	[KEY_EXCEPTION] = {"exception", "EXCEPTION", KEY_IS_TEXT, ENTRY_exception},
	[KEY_TLS_MODE] = {"tls_mode", "TLS MODE", KEY_IS_TEXT, ENTRY_tls_mode},
	[KEY_CERTIFICATE] = {"certificate", "CERTIFICATE", KEY_IS_TEXT, ENTRY_peer_certificate},
	[KEY_SUBJECT] = {"subject", "SUBJECT", KEY_IS_TEXT, ENTRY_server_subject},
	[KEY_ISSUER] = {"issuer", "ISSUER", KEY_IS_TEXT, ENTRY_server_issuer},
	[KEY_NOT_AFTER] = {"not_after", "NOT AFTER", KEY_IS_TEXT, ENTRY_server_not_after},
	[KEY_LIBRARY] = {"library", "LIBRARY", KEY_IS_TEXT, ENTRY_library},
	[KEY_WITNESS] = {"witness", "WITNESS", KEY_IS_LIST, ENTRY_witnesses},
	[KEY_LIMIT] = {"limited_by", "LIMITED BY", KEY_IS_TEXT, ENTRY_limited_by},
	[KEY_OFFERED] = {"offered", "OFFERED", KEY_IS_LIST, ENTRY_offered},
	[KEY_EXECUTABLE] = {"executable", "EXECUTABLE", KEY_IS_TEXT, ENTRY_executable},
	[KEY_CALLER] = {"caller", "CALLER", KEY_IS_TEXT, ENTRY_caller},
	[KEY_PARENT] = {"parent", "PARENT", KEY_IS_TEXT, ENTRY_parent_executable},
	[KEY_DOMAIN] = {"domain", "DOMAIN", KEY_IS_DOMAIN, 0},
};

const char *report_key_name(enum report_key key)
{
	return keys[key].name;
}

const char *report_key_title(enum report_key key)
{
	return keys[key].title;
}

enum report_key report_key_from(struct slice name)
{
	unsigned key = 0;

	while (key < REPORT_KEYS && !slice_is(name, keys[key].name))
		key++;
	return key;
}

enum key_kind keys_kind(enum report_key key)
{
	return keys[key].kind;
}

enum entry_field keys_field(enum report_key key)
{
	return keys[key].field;
}

size_t keys_words(const enum report_key *key, size_t count)
{
	size_t words = 0;

	for (size_t i = 0; i < count; i++)
		words += keys[key[i]].kind == KEY_IS_PLACE ? 3 : 1;
	return words;
}

uint32_t keys_texts(enum report_key key)
{
	switch (keys[key].kind) {
	case KEY_IS_PROGRAM:
	case KEY_IS_DESTINATION:
	case KEY_IS_TEXT:
	case KEY_IS_LIST:
	case KEY_IS_DOMAIN:
		return 1;
	case KEY_IS_PLACE:
		return 1 | 4;
	default:
		return 0;
	}
}
