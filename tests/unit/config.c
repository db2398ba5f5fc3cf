/*
 * The text of settings: every value that is one, and what is said of the others.
 */
#include <string.h>

#include <criterion/criterion.h>

#include "shim/config/config.h"
#include "shim/record/record_values.h"
#include "shim/record/tls_names.h"

static struct config config;
static char message[CONFIG_MESSAGE_MAX];

static void begin(void)
{
	config_defaults(&config);
	memset(message, 'x', sizeof(message));
}

TestSuite(config, .init = begin);

static bool set(const char *name, const char *value)
{
	return config_set(&config, name, value, message);
}

/* Refused, with the value and what is allowed in the message, and nothing changed. */
static void expect_refused(const char *name, const char *value)
{
	/* Its bytes, and so what lies between its members too. */
	const uint8_t *now = (const uint8_t *)&config;
	uint8_t before[sizeof(config)];

	memcpy(before, now, sizeof(before));
	cr_expect_not(set(name, value), "%s = '%s'", name, value);
	cr_expect_eq(memcmp(before, now, sizeof(before)), 0, "%s = '%s' changed something", name,
		     value);
	cr_expect_not_null(strstr(message, name), "%s", message);
	cr_expect_not_null(strstr(message, "allowed: "), "%s", message);
	cr_expect_lt(strlen(message), sizeof(message));
}

Test(config, defaults_are_those_of_the_readme)
{
	static const uint16_t ports[] = {25, 465, 587, 2465, 2525, 2587};

	cr_expect_not(config.off);
	cr_expect_eq(config.mode, MODE_AUDIT);
	cr_expect_eq(config.floor, tls_version_from_name("1.2"));
	cr_expect_not(config.scope_all);
	cr_expect_eq(config.plaintext, PLAINTEXT_REFUSE_REMOTE);
	cr_expect_eq(config.port_count, 6);
	for (size_t i = 0; i < 6; i++)
		cr_expect(config_is_mail_port(&config, ports[i]));
	cr_expect_not(config_is_mail_port(&config, 443));
	cr_expect_eq(config.log_kind, LOG_DIRECTORY);
	cr_expect_str_eq(config.log, "/var/log/tlswitness/");
	cr_expect_str_empty(config.service);
}

Test(config, takes_every_word_that_is_one)
{
	cr_expect(set("mode", "audit") && config.mode == MODE_AUDIT);
	cr_expect(set("mode", "enforce") && config.mode == MODE_ENFORCE);
	cr_expect(set("mode", "upgrade") && config.mode == MODE_UPGRADE);
	cr_expect(set("scope", "all") && config.scope_all);
	cr_expect(set("scope", "smtp") && !config.scope_all);
	cr_expect(set("plaintext", "refuse") && config.plaintext == PLAINTEXT_REFUSE);
	cr_expect(set("plaintext", "record") && config.plaintext == PLAINTEXT_RECORD);
	cr_expect(set("plaintext", "refuse-remote") && config.plaintext == PLAINTEXT_REFUSE_REMOTE);
	cr_expect(set("off", "1") && config.off);
	cr_expect(set("off", "0") && !config.off);
	cr_expect(set("floor", "1.0") && config.floor == 0x0301);
	cr_expect(set("floor", "1.1") && config.floor == 0x0302);
	cr_expect(set("floor", "1.2") && config.floor == 0x0303);
	cr_expect(set("floor", "1.3") && config.floor == 0x0304);
	cr_expect(set("service", "shop") && strcmp(config.service, "shop") == 0);
	for (int mode = MODE_AUDIT; mode <= MODE_UPGRADE; mode++) {
		cr_expect(set("mode", record_value_text(RECORD_SET_MODE, (unsigned)mode + 1)));
		cr_expect_eq(config.mode, mode);
	}
}

Test(config, refuses_every_word_that_is_none)
{
	static const char *const names[] = {"mode", "scope", "plaintext", "off", "floor"};
	static const char *const values[] = {"",     " ",      "Audit",    "1.4",  "3.0",
					     "1.20", "audit ", "all,smtp", "true", "2"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++)
			expect_refused(names[i], values[j]);
	}
}

Test(config, a_word_that_is_no_mode_is_told_all_modes)
{
	cr_expect_not(set("mode", "watch"));
	for (unsigned mode = 1; mode < RECORD_MODE_END; mode++)
		cr_expect_not_null(strstr(message, record_value_text(RECORD_SET_MODE, mode)), "%s",
				   message);
}

Test(config, ports)
{
	char many[CONFIG_PORTS_MAX * 2 + 3] = "";

	cr_expect(set("ports", "1"));
	cr_expect_eq(config.port_count, 1);
	cr_expect(set("ports", " 25 ,  65535 "));
	cr_expect_eq(config.port_count, 2);
	cr_expect(config_is_mail_port(&config, 65535));
	cr_expect_not(config_is_mail_port(&config, 465));
	for (int i = 0; i < CONFIG_PORTS_MAX; i++)
		strcat(many, i == 0 ? "9" : ",9");
	cr_expect(set("ports", many));
	cr_expect_eq(config.port_count, CONFIG_PORTS_MAX);
	strcat(many, ",9");
	expect_refused("ports", many);
}

Test(config, ports_that_are_none)
{
	static const char *const values[] = {"",
					     "0",
					     "65536",
					     "-1",
					     "25,",
					     ",25",
					     "25 26",
					     "smtp",
					     "25;26",
					     "0x19",
					     "25,,26",
					     "99999999999999999999",
					     "18446744073709551641"};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		expect_refused("ports", values[i]);
}

Test(config, logs)
{
	cr_expect(set("log", "/a/log.jsonl"));
	cr_expect_eq(config.log_kind, LOG_FILE);
	cr_expect(set("log", "/a/"));
	cr_expect_eq(config.log_kind, LOG_DIRECTORY);
	cr_expect(set("log", "syslog:"));
	cr_expect_eq(config.log_kind, LOG_SYSLOG);
	cr_expect(set("log", "journald:"));
	cr_expect_eq(config.log_kind, LOG_JOURNALD);
	cr_expect(set("log", "unix:/run/socket"));
	cr_expect_eq(config.log_kind, LOG_DATAGRAM);
	cr_expect_str_eq(config.log, "/run/socket");
}

Test(config, logs_that_are_none)
{
	char longest[CONFIG_PATH_MAX + 1];
	char socket[5 + 108 + 1];

	expect_refused("log", "");
	expect_refused("log", "relative");
	expect_refused("log", "syslog");
	expect_refused("log", "syslog:local0");
	expect_refused("log", "unix:relative");
	expect_refused("log", "unix:");
	memset(longest, '/', sizeof(longest));
	longest[CONFIG_PATH_MAX] = '\0';
	expect_refused("log", longest);
	longest[CONFIG_PATH_MAX - 1] = '\0';
	cr_expect(set("log", longest));
	/* unix(7): a socket's path has 108 bytes, its NUL included. */
	memset(socket, '/', sizeof(socket));
	memcpy(socket, "unix:", 5);
	socket[5 + 108] = '\0';
	expect_refused("log", socket);
	socket[5 + 107] = '\0';
	cr_expect(set("log", socket));
}

Test(config, a_service_has_a_name_that_fits)
{
	char name[CONFIG_NAME_MAX + 1];

	memset(name, 'a', sizeof(name));
	name[CONFIG_NAME_MAX] = '\0';
	expect_refused("service", name);
	expect_refused("service", "");
	name[CONFIG_NAME_MAX - 1] = '\0';
	cr_expect(set("service", name));
	cr_expect_str_eq(config.service, name);
}

Test(config, names_that_are_none)
{
	static const char *const names[] = {"", "flor", "FLOOR", "floor ", "mode=", "log "};
	static const char *const all[] = {"log",   "mode",      "floor",   "scope",
					  "ports", "plaintext", "service", "off"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		cr_expect_not(set(names[i], "1.2"), "'%s'", names[i]);
		for (size_t j = 0; j < sizeof(all) / sizeof(all[0]); j++)
			cr_expect_not_null(strstr(message, all[j]), "%s", message);
	}
}

Test(config, a_message_is_cut_where_it_must_be)
{
	char endless[4096];

	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	expect_refused("floor", endless);
	cr_expect_not(set(endless, endless));
	cr_expect_lt(strlen(message), sizeof(message));
}

static bool line(const char *text)
{
	char copy[256];

	strcpy(copy, text);
	return config_line(&config, copy, message);
}

Test(config, lines_of_the_file)
{
	cr_expect(line(""));
	cr_expect(line("   \t"));
	cr_expect(line("# floor = 1.0"));
	cr_expect(line("  # floor = 1.0"));
	cr_expect_eq(config.floor, 0x0303);
	cr_expect(line("floor=1.3"));
	cr_expect_eq(config.floor, 0x0304);
	cr_expect(line("  floor \t=\t 1.1  \r"));
	cr_expect_eq(config.floor, 0x0302);
	cr_expect(line("service = a = b"));
	cr_expect_str_eq(config.service, "a = b");
	cr_expect_not(line("floor"));
	cr_expect_not_null(strstr(message, "name = value"), "%s", message);
	cr_expect_not(line("= 1.2"));
	cr_expect_not(line("floor ="));
	cr_expect_not(line("floor = 1.2 # the default"));
	cr_expect_eq(config.floor, 0x0302);
}

/* Whether a program of user 33 is one of those whom the line names. */
static bool is_meant(const char *program, const char *text)
{
	config_defaults(&config);
	config.program = program;
	config.user = 33;
	cr_expect(line(text), "%s: %s", text, message);
	cr_expect(config.has_only, "%s", text);
	return config.is_meant;
}

Test(config, only_whom_a_line_names)
{
	cr_expect(is_meant("/usr/sbin/exim4", "only = system"));
	cr_expect(is_meant("/usr/sbin/exim4", "only = program:/usr/sbin/exim4"));
	cr_expect_not(is_meant("/usr/sbin/exim4", "only = program:/usr/sbin/exim"));
	cr_expect_not(is_meant("/usr/sbin/exim4", "only = program:/usr/sbin/exim4 -bd"));
	cr_expect_not(is_meant(NULL, "only = program:/usr/sbin/exim4"));
	cr_expect(is_meant(NULL, "only = user:33"));
	cr_expect(is_meant(NULL, "only = user:0033"));
	cr_expect_not(is_meant(NULL, "only = user:3"));
	cr_expect_not(is_meant(NULL, "only = user:4294967295"));
	/* One of several will do. */
	cr_expect_not(is_meant("/usr/sbin/exim4", "only = user:34"));
	cr_expect(line("only = program:/usr/sbin/exim4") && config.is_meant);
	cr_expect(line("only = user:34") && config.is_meant);
}

/* It names nobody, so that the recorder is in nobody for it. */
Test(config, what_names_nobody_means_nobody)
{
	static const char *const lines[] = {
		"only =",
		"only = systems",
		"only = exim4",
		"only = program:exim4",
		"only = program:",
		"only = user:",
		"only = user:-33",
		"only = user: 33",
		"only = user:33x",
		"only = user:www-data",
		"only = user:4294967296",
		"only = user:4294967329", /* 33 in 32 bits */
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		config_defaults(&config);
		config.program = "/exim4";
		config.user = 33;
		cr_expect_not(line(lines[i]), "%s", lines[i]);
		cr_expect(config.has_only, "%s", lines[i]);
		cr_expect_not(config.is_meant, "%s", lines[i]);
		cr_expect_not_null(strstr(message, "is no value of only; allowed: system, "), "%s",
				   message);
		cr_expect_str_eq(message + strlen(message) - 14, "or user:NUMBER");
	}
}

static bool exception(const char *value)
{
	return config_exception(&config, value, message);
}

static const struct config_exception *last_exception(void)
{
	return &config.exception[config.exception_count - 1];
}

Test(config, exceptions_as_they_are_written)
{
	static const uint8_t v4[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 0};
	static const uint8_t v6[] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

	cr_assert(line("exception = to:Relay.example.net  port:25\tfloor:1.0 until:2027-03-31"));
	cr_expect_eq(config.exception_count, 1);
	cr_expect_str_eq(last_exception()->text,
			 "to:Relay.example.net  port:25\tfloor:1.0 until:2027-03-31");
	cr_expect(config_exception_word_is(last_exception(), last_exception()->name,
					   "Relay.example.net"));
	cr_expect_eq(last_exception()->port, 25);
	cr_expect_eq(last_exception()->floor, 0x0301);
	/* The day itself included: date -u -d 2027-04-01 +%s */
	cr_expect_eq(last_exception()->until, 1806537600);
	cr_expect_eq(last_exception()->bits, 0);

	cr_assert(exception("until:2028-02-29 to:192.0.2.0/24 floor:none"));
	cr_expect_eq(last_exception()->floor, 0);
	cr_expect_eq(last_exception()->bits, 96 + 24);
	cr_expect_arr_eq(last_exception()->address, v4, 16);
	cr_expect_eq(last_exception()->until, 1835481600); /* 2028-03-01 */
	cr_assert(exception("to:2001:db8::1 floor:1.1 until:2027-03-31"));
	cr_expect_eq(last_exception()->bits, 128);
	cr_expect_arr_eq(last_exception()->address, v6, 16);
	cr_assert(exception("to:2001:DB8:0:0:0:0:0:1 floor:1.1 until:2027-03-31"));
	cr_expect_arr_eq(last_exception()->address, v6, 16);
	cr_assert(exception("to:2001:db8::/32 floor:1.1 until:2027-03-31"));
	cr_expect_eq(last_exception()->bits, 32);
	cr_assert(exception("to:*.old-relays.example floor:1.1 until:2027-03-31"));
	cr_assert(exception("service:erp floor:1.1 until:2027-03-31"));
	cr_assert(exception("program:/usr/bin/msmtp floor:1.1 until:2027-03-31"));
	cr_assert(exception("port:2526 floor:1.1 until:1970-01-01"));
	cr_expect_eq(last_exception()->until, 86400);
}

/* Whatever is wrong with a line, it is told, and it is no exception. */
Test(config, exceptions_that_are_none)
{
	static const struct {
		const char *value;
		const char *said;
	} wrong[] = {
		{"", "names no"},
		{"floor:1.0 until:2027-03-31", "names no"},
		{"to:a.example until:2027-03-31", "no floor:"},
		{"to:a.example floor:1.0", "no until:"},
		{"to:a.example floor:1.0 until:2027-03-32", "a day"},
		{"to:a.example floor:1.0 until:2027-02-29", "a day"},
		{"to:a.example floor:1.0 until:2027-3-1", "a day"},
		{"to:a.example floor:1.0 until:never", "a day"},
		{"to:a.example floor:1.0 until:", "a day"},
		{"to:a.example floor:1.4 until:2027-03-31", "floor: takes"},
		{"to:a.example floor: until:2027-03-31", "floor: takes"},
		{"to:a.example floor:1.0 floor:1.1 until:2027-03-31", "twice"},
		{"to: floor:1.0 until:2027-03-31", "to: takes"},
		{"to:* floor:1.0 until:2027-03-31", "to: takes"},
		{"to:*. floor:1.0 until:2027-03-31", "to: takes"},
		{"to:a*.example floor:1.0 until:2027-03-31", "to: takes"},
		{"to:192.0.2 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:192.0.2.256 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:192.0.2.1.5 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:192.0.2.1/24 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:192.0.2.0/33 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:192.0.2.0/ floor:1.0 until:2027-03-31", "to: takes"},
		{"to:0.0.0.0/0 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:::/0 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:2001:db8 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:1:2:3:4:5:6:7:8:9 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:1::2::3 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:12345::1 floor:1.0 until:2027-03-31", "to: takes"},
		{"to:a.example port:0 floor:1.0 until:2027-03-31", "port: takes"},
		{"to:a.example port:65536 floor:1.0 until:2027-03-31", "port: takes"},
		{"to:a.example port:25x floor:1.0 until:2027-03-31", "port: takes"},
		{"program:msmtp floor:1.0 until:2027-03-31", "program: takes"},
		{"service: floor:1.0 until:2027-03-31", "service: takes"},
		{"to:a.example floor:1.0 until:2027-03-31 # for the ERP", "its words are"},
		{"a.example 1.0 2027-03-31", "its words are"},
	};
	char endless[300];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cr_expect_not(exception(wrong[i].value), "%s", wrong[i].value);
		cr_expect_not_null(strstr(message, wrong[i].said), "%s: %s", wrong[i].value,
				   message);
	}
	memset(endless, 'a', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	cr_expect_not(exception(endless));
	cr_expect_eq(config.exception_count, 0);
	for (unsigned i = 0; i < CONFIG_EXCEPTIONS_MAX; i++)
		cr_expect(exception("to:a.example floor:1.0 until:2027-03-31"));
	cr_expect_not(exception("to:b.example floor:1.0 until:2027-03-31"));
	cr_expect_not_null(strstr(message, "room for 32"), "%s", message);
	cr_expect_eq(config.exception_count, CONFIG_EXCEPTIONS_MAX);
	/* It is no setting of the environment's. */
	cr_expect_not(set("exception", "to:a.example floor:1.0 until:2027-03-31"));
}

Test(config, exceptions_of_other_programs_are_none_of_ours)
{
	cr_assert(exception("program:/usr/bin/a floor:1.0 until:2027-03-31"));
	cr_assert(exception("to:a.example floor:1.0 until:2027-03-31"));
	cr_assert(exception("program:/usr/bin/ab to:b.example floor:1.1 until:2027-03-31"));
	config_keep_exceptions_of(&config, "/usr/bin/ab");
	cr_expect_eq(config.exception_count, 2);
	cr_expect_eq(config.exception[0].program.length, 0);
	cr_expect_eq(config.exception[1].floor, 0x0302);
	config_keep_exceptions_of(&config, NULL);
	cr_expect_eq(config.exception_count, 1);
}
