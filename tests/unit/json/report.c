/*
 * From records to the finished report: filters, counting, merging, tables, places.
 */
#include "tools/report/model.h"

#include <stdlib.h>

#include <criterion/criterion.h>

#include "tools/report/advice.h"
#include "tools/report/aggregate.h"
#include "tools/log/filter.h"
#include "tools/log/json_line.h"
#include "tests/unit/json/lines.h"
#include "tools/report/rollup.h"
#include "tools/base/timestamp.h"

static struct filter filter;
static struct aggregate_options counting;
static struct rollup_options tables;
static struct aggregate aggregate;
static struct report *report;

static void begin(void)
{
	filter = (struct filter){0};
	counting = (struct aggregate_options){.filter = &filter,
					      .by = {KEY_PROGRAM, KEY_DESTINATION},
					      .by_count = 2,
					      .wants = WANT_ALL};
	tables = (struct rollup_options){0};
	aggregate_init(&aggregate, &counting);
}

static void end(void)
{
	report_free(report);
	aggregate_free(&aggregate);
	filter_free(&filter);
}

TestSuite(report, .init = begin, .fini = end);

static struct record handshake(const char *script, const char *domain, uint16_t version,
			       enum record_verdict verdict)
{
	return (struct record){
		.timestamp = {.tv_sec = 1795439107},
		.action = RECORD_ACTION_HANDSHAKE,
		.destination_ip = "198.51.100.7",
		.destination_domain = domain,
		.version = version,
		.verdict = verdict,
		.floor = 0x0303,
		.executable = "/usr/bin/python3.11",
		.script = script,
	};
}

/* A handshake with every field, as the recorder writes it: it never counts. */
static struct record one_record(void)
{
	struct record record = full_record();

	record.count = 0;
	record.first = (struct timespec){0};
	return record;
}

static enum aggregate_result add_to(struct aggregate *to, const struct record *record)
{
	static struct scanner scanner;
	struct entry entry;

	scanner_init(&scanner);
	cr_assert(scanner_read(&scanner, written(record), &entry));
	return aggregate_add(to, &entry);
}

static void add(struct record record, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		cr_assert_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
}

/* Records of a kind that this reader does not know. */
static void add_newer(unsigned times)
{
	struct json_line json = {0};
	struct entry entry;

	json_line_read(&json,
		       SLICE_LITERAL("{\"@timestamp\":\"2026-11-23T13:05:07Z\","
				     "\"event.action\":\"something-new\"}"),
		       &entry);
	for (unsigned i = 0; i < times; i++)
		cr_assert_eq(aggregate_add(&aggregate, &entry), AGGREGATE_COUNTED);
	json_line_free(&json);
}

static void make(void)
{
	report = rollup(&aggregate, &tables);
}

static void expect_text(struct slice found, const char *text)
{
	cr_expect(slice_is(found, text), "'%.*s' is not '%s'", (int)found.length, found.start,
		  text);
}

Test(report, groups_worst_first)
{
	add(handshake("/a.py", "one.example", 0x0304, RECORD_VERDICT_OK), 5);
	add(handshake("/a.py", "two.example", 0x0301, RECORD_VERDICT_BELOW_FLOOR), 2);
	add(handshake("/b.py", "one.example", 0x0303, RECORD_VERDICT_AT_RISK), 3);
	add(handshake("/b.py", "two.example", 0x0301, RECORD_VERDICT_BELOW_FLOOR), 3);
	make();
	cr_assert_eq(report->group_count, 4);
	expect_text(report->groups[0].key[0], "/b.py");
	expect_text(report->groups[0].key[1], "two.example");
	expect_text(report->groups[1].key[0], "/a.py");
	expect_text(report->groups[2].key[0], "/b.py");
	cr_expect_eq(report->groups[3].tally.connections, 5);
	cr_expect_eq(report->total.connections, 13);
	cr_expect_eq(report->total.version[VERSION_TLS_1_0], 5);
	cr_expect_eq(report->total.verdict[VERDICT_BELOW_FLOOR], 5);
	cr_expect_eq(report->floor[VERSION_TLS_1_2], 13);
	cr_expect_eq(report->program_count, 2);
	cr_expect_eq(report->programs[0].partners, 2);
	cr_expect_eq(report->pair_count, 4);
}

Test(report, names_a_program_without_a_script_by_its_executable_and_no_domain_by_address)
{
	add(handshake(NULL, NULL, 0x0304, RECORD_VERDICT_OK), 1);
	make();
	cr_assert_eq(report->group_count, 1);
	expect_text(report->groups[0].key[0], "/usr/bin/python3.11");
	expect_text(report->groups[0].key[1], "198.51.100.7");
}

Test(report, groups_by_every_key)
{
	struct record record = one_record();
	static const char *const expected[REPORT_KEYS] = {
		"/srv/app/send.py",
		"mx.example.com",
		"1.2",
		"at-risk",
		"/srv/app/mail.py:20 deliver",
		"web1",
		"shop",
		"33",
		"2026-11-23 13:00",
		"2026-11-23",
		"TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
		"x25519",
		"none",
		"587",
		"audit",
		"1.2",
		"*.example.com: 1.0",
		"starttls",
		"verified",
		"CN=mx.example.com,O=Acme\\, Inc.",
		"CN=R11,O=Let's Encrypt,C=US",
		"2027-01-30T12:00:00Z",
		"OpenSSL 3.0.19",
		"openssl,wire",
		"client",
		"1.0,1.1,1.2",
		"/usr/bin/python3.11",
		"/srv/app/shell.php:7 notify",
		"/usr/sbin/cron",
		"example.com",
	};

	for (unsigned key = 0; key < REPORT_KEYS; key++)
		counting.by[key] = key;
	counting.by_count = REPORT_KEYS;
	aggregate_init(&aggregate, &counting);
	add(record, 1);
	make();
	cr_assert_eq(report->group_count, 1);
	for (unsigned key = 0; key < REPORT_KEYS; key++)
		expect_text(report->groups[0].key[key], expected[key]);
}

Test(report, counts_each_kind_of_record)
{
	struct record record = handshake("/a.py", "one.example", 0, RECORD_VERDICT_UNKNOWN);

	add(handshake("/a.py", "one.example", 0x0304, RECORD_VERDICT_OK), 1);
	record.version = 0;
	record.action = RECORD_ACTION_PLAINTEXT_MAIL;
	record.verdict = RECORD_VERDICT_PLAINTEXT;
	record.reason = "starttls-not-offered";
	add(record, 2);
	record.action = RECORD_ACTION_SESSION;
	record.verdict = RECORD_VERDICT_NO_MAIL;
	add(record, 3);
	record.verdict = RECORD_VERDICT_UNKNOWN;
	record.action = RECORD_ACTION_BLIND_SPOT;
	add(record, 4);
	record.action = RECORD_ACTION_CONFIGURATION_ERROR;
	add(record, 5);
	add_newer(6);
	record.action = RECORD_ACTION_LOST;
	record.lost = 100;
	add(record, 2);
	make();
	cr_expect_eq(report->records.all, 23);
	cr_expect_eq(report->records.handshakes, 1);
	cr_expect_eq(report->records.plaintext_mails, 2);
	cr_expect_eq(report->records.clear_sessions, 3);
	cr_expect_eq(report->records.blind_spots, 4);
	cr_expect_eq(report->records.configuration_errors, 5);
	cr_expect_eq(report->records.other, 6);
	cr_expect_eq(report->records.lost_notices, 2);
	cr_expect_eq(report->records.lost, 200);
	cr_expect_eq(report->total.connections, 6);
	cr_expect_eq(report->total.version[VERSION_CLEAR], 5);
	cr_expect_eq(report->plaintext.records, 2);
	expect_text(report->plaintext.row[0].text, "starttls-not-offered");
	cr_expect_eq(report->lost.records, 200);
	cr_expect_eq(report->blind_spots.records, 4);
}

Test(report, lists_exceptions_beside_all_else)
{
	struct record record = one_record();

	record.exception = NULL;
	add(record, 1);
	record.exception = "to:a.example floor:1.0 until:2027-03-31";
	add(record, 2);
	record.exception = "service:erp floor:none until:2027-01-31";
	record.action = RECORD_ACTION_PLAINTEXT_MAIL;
	record.verdict = RECORD_VERDICT_PLAINTEXT;
	record.reason = "starttls-not-offered";
	add(record, 3);
	make();
	cr_assert_eq(report->exceptions.count, 2);
	cr_expect_eq(report->exceptions.records, 5);
	cr_expect_eq(report->exceptions.row[0].records, 3);
	expect_text(report->exceptions.row[0].text, "service:erp floor:none until:2027-01-31");
	expect_text(report->exceptions.row[1].text, "to:a.example floor:1.0 until:2027-03-31");
	cr_expect_eq(report->plaintext.records, 3);
	expect_text(report->plaintext.row[0].text, "starttls-not-offered");
}

Test(report, refuses_what_is_no_record)
{
	struct record record = one_record();
	struct entry entry;
	struct json_line json = {0};

	record.action = RECORD_ACTION_UNKNOWN;
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_NO_ACTION);
	json_line_read(&json, SLICE_LITERAL("{\"event.action\":\"tls-handshake\"}"), &entry);
	cr_expect_eq(aggregate_add(&aggregate, &entry), AGGREGATE_NO_TIMESTAMP);
	json_line_read(&json,
		       SLICE_LITERAL("{\"event.action\":\"x\",\"@timestamp\":\"yesterday\"}"),
		       &entry);
	cr_expect_eq(aggregate_add(&aggregate, &entry), AGGREGATE_NO_TIMESTAMP);
	json_line_free(&json);
	make();
	cr_expect_eq(report->records.all, 0);
	cr_expect_eq(report->group_count, 0);
}

Test(report, is_the_same_after_a_merge)
{
	struct aggregate other;

	aggregate_init(&other, &counting);
	for (unsigned i = 0; i < 100; i++) {
		struct record record =
			handshake(i % 3 ? "/a.py" : "/b.py", i % 5 ? "one.example" : "two.example",
				  (uint16_t)(0x0301 + i % 4), RECORD_VERDICT_OK);

		record.timestamp.tv_sec += (time_t)i * 1000;
		record.host = i % 7 ? "web1" : "web2";
		cr_assert_eq(add_to(i % 2 ? &aggregate : &other, &record), AGGREGATE_COUNTED);
	}
	aggregate_absorb(&aggregate, &other);
	make();
	cr_expect_eq(report->total.connections, 100);
	cr_expect_eq(report->group_count, 4);
	cr_expect_eq(report->host_count, 2);
	cr_expect_eq(report->total.version[VERSION_TLS_1_0], 25);
	cr_expect_eq(report->first, INT64_C(1795439107) * MICROSECONDS_PER_SECOND);
	cr_expect_eq(report->last, (INT64_C(1795439107) + 99000) * MICROSECONDS_PER_SECOND);
}

Test(report, has_days_and_hours)
{
	struct record record = handshake("/a.py", "one.example", 0x0304, RECORD_VERDICT_OK);

	for (int i = 0; i < 48; i++) {
		record.timestamp.tv_sec = 1795392000 + i * 3600;
		add(record, 1);
	}
	make();
	cr_assert_eq(report->hour_count, 48);
	cr_assert_eq(report->day_count, 2);
	cr_expect_eq(report->days[0].start, INT64_C(1795392000) * MICROSECONDS_PER_SECOND);
	cr_expect_eq(report->days[0].tally.connections, 24);
	cr_expect_eq(report->days[1].tally.version[VERSION_TLS_1_3], 24);
}

static enum entry_verdict what_if(struct record record, enum entry_version floor)
{
	enum entry_verdict verdict = VERDICT_OK;

	counting.what_if = true;
	counting.floor = floor;
	begin();
	counting.what_if = true;
	counting.floor = floor;
	add(record, 1);
	make();
	verdict = report_worst(&report->total);
	report_free(report);
	report = NULL;
	aggregate_free(&aggregate);
	begin();
	return verdict;
}

Test(report, judges_by_another_floor)
{
	struct record record = handshake("/a.py", "one.example", 0x0303, RECORD_VERDICT_OK);

	cr_expect_eq(what_if(record, VERSION_TLS_1_3), VERDICT_REFUSED);
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_OK);
	record.version = 0x0304;
	record.offered = (struct record_versions){.count = 2, .version = {0x0303, 0x0304}};
	cr_expect_eq(what_if(record, VERSION_TLS_1_3), VERDICT_AT_RISK);
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_OK);
	/* Where nothing was offered that we know of, the configured minimum tells. */
	record.offered.count = 0;
	record.configured_min = 0x0301;
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_AT_RISK);
	record.configured_min = 0x0304;
	cr_expect_eq(what_if(record, VERSION_TLS_1_3), VERDICT_OK);
	/* What came to nothing stays so. */
	record.verdict = RECORD_VERDICT_FAILED;
	record.version = 0x0301;
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_FAILED);
}

Test(report, judges_clear_mail_by_where_it_goes)
{
	struct record record = handshake("/a.py", NULL, 0, RECORD_VERDICT_PLAINTEXT);

	record.action = RECORD_ACTION_PLAINTEXT_MAIL;
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_REFUSED);
	record.destination_ip = "127.0.0.1";
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_PLAINTEXT);
	record.destination_ip = "::1";
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_PLAINTEXT);
	record.destination_ip = "12.7.0.1";
	cr_expect_eq(what_if(record, VERSION_TLS_1_2), VERDICT_REFUSED);
}

Test(report, filters)
{
	struct record record = one_record();

	filter_add(&filter.program, "*.rb");
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_FILTERED_OUT);
	filter_add(&filter.program, "send.p?");
	/* What was matched before this pattern came no longer holds. */
	filter_cache_free(&aggregate.filtered);
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
	filter_add(&filter.to, "*.EXAMPLE.com");
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
	filter_add(&filter.service, "sho[a-z]");
	filter_add(&filter.host, "web1");
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
	record.service = NULL;
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_FILTERED_OUT);
	make();
	cr_expect_eq(report->records.filtered_out, 2);
}

Test(report, filters_by_address_and_executable_too)
{
	struct record record = one_record();

	filter_add(&filter.program, "python3*");
	filter_add(&filter.to, "198.51.100.*");
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
}

Test(report, filters_by_time_to_the_microsecond)
{
	struct record record = one_record();
	int64_t time = INT64_C(1795439107123456);

	filter.has_since = true;
	filter.has_until = true;
	filter.since = time;
	filter.until = time + 1;
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
	filter.since = time + 1;
	filter.until = time + 2;
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_FILTERED_OUT);
	/* Windows that touch do not overlap. */
	filter.since = time - 1;
	filter.until = time;
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_FILTERED_OUT);
}

Test(report, filters_by_verdict_without_hiding_what_was_lost)
{
	struct record record = one_record();

	filter.has_verdicts = true;
	cr_assert(filter_parse_verdicts("plaintext,below-floor", filter.verdict));
	filter_add(&filter.to, "elsewhere.example");
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_FILTERED_OUT);
	record.action = RECORD_ACTION_LOST;
	cr_expect_eq(add_to(&aggregate, &record), AGGREGATE_COUNTED);
	cr_expect_not(filter_parse_verdicts("plaintext,", filter.verdict));
	cr_expect_not(filter_parse_verdicts("bad", filter.verdict));
	cr_expect_not(filter_parse_verdicts("", filter.verdict));
}

static struct record bad_place(enum record_verdict verdict, enum record_limit limit)
{
	struct record record = one_record();

	record.verdict = verdict;
	record.limited_by = limit;
	record.version = 0x0301;
	record.server_supports = 0;
	return record;
}

static struct record setting_of(const char *script)
{
	struct record record = one_record();

	record.action = RECORD_ACTION_SETTING;
	record.script = script;
	record.code_file = "/srv/app/context.py";
	record.code_line = 12;
	record.code_function = "make_context";
	record.verdict = RECORD_VERDICT_UNKNOWN;
	return record;
}

Test(report, says_what_to_change)
{
	add(bad_place(RECORD_VERDICT_BELOW_FLOOR, RECORD_LIMIT_CLIENT), 3);
	add(setting_of("/srv/app/send.py"), 1);
	make();
	cr_assert_eq(report->place_count, 1);
	/* The line that made the setting, not the one that connects. */
	expect_text(report->places[0].file, "/srv/app/context.py");
	cr_expect_eq(report->places[0].line, 12);
	cr_assert_eq(report->places[0].source_count, 1);
	expect_text(report->places[0].sources[0], "/srv/app/mail.py:20 deliver");
	cr_expect_eq(report->places[0].tally.connections, 3);
	cr_expect_eq(report->places[0].language, LANGUAGE_PYTHON);
	cr_assert_eq(report->places[0].destination_count, 1);
	expect_text(report->places[0].destinations[0], "mx.example.com");
	cr_assert_eq(report->places[0].setting_count, 1);
	expect_text(report->places[0].settings[0].file, "/srv/app/context.py");
	cr_expect_eq(report->places[0].settings[0].line, 12);
	cr_expect(strstr(report->places[0].advice, "ssl.TLSVersion.TLSv1_2"));
	cr_expect_null(strstr(report->places[0].advice, "operator"));
}

Test(report, names_the_relay_where_the_server_limits)
{
	add(bad_place(RECORD_VERDICT_BELOW_FLOOR, RECORD_LIMIT_SERVER), 3);
	add(setting_of("/srv/app/send.py"), 1);
	make();
	cr_assert_eq(report->place_count, 2);
	cr_expect(strstr(report->places[0].advice, "operator of mx.example.com for TLS 1.2"));
	cr_expect_null(strstr(report->places[0].advice, "Python"));
	cr_expect_eq(report->places[0].setting_count, 0);
	/* The setting does no harm to these connections, but stands there. */
	cr_expect_eq(report->places[1].tally.connections, 0);
	cr_expect_eq(report->places[1].setting_count, 1);
}

Test(report, knows_that_the_server_could_do_more)
{
	struct record record = bad_place(RECORD_VERDICT_BELOW_FLOOR, RECORD_LIMIT_SERVER);

	record.server_supports = 0x0303;
	add(record, 1);
	make();
	cr_expect(strstr(report->places[0].advice, "can do more than it chose"));
}

Test(report, has_no_place_for_what_is_ok)
{
	add(handshake("/a.py", "one.example", 0x0304, RECORD_VERDICT_OK), 1);
	make();
	cr_expect_eq(report->place_count, 0);
}

Test(report, leaves_out_settings_of_programs_that_were_not_chosen)
{
	tables.connections_chosen = true;
	add(setting_of("/other.py"), 1);
	make();
	cr_expect_eq(report->place_count, 0);
	cr_expect_eq(report->records.settings, 1);
}

Test(report, knows_languages)
{
	static const struct {
		const char *executable;
		const char *file;
		enum report_language language;
	} cases[] = {
		{"/usr/bin/python3.11", "", LANGUAGE_PYTHON},
		{"/usr/sbin/php-fpm8.2", "", LANGUAGE_PHP},
		{"/usr/sbin/apache2", "/var/www/a.php", LANGUAGE_PHP},
		{"/usr/bin/perl", "/usr/bin/swaks", LANGUAGE_PERL},
		{"/opt/node/bin/node", "", LANGUAGE_NODE},
		{"/usr/bin/curl", "", LANGUAGE_CURL},
		{"/usr/sbin/apache2", "/srv/app.py", LANGUAGE_PYTHON},
		{"/usr/bin/msmtp", "", LANGUAGE_OTHER},
		{"", "", LANGUAGE_OTHER},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(advice_language(slice_of(cases[i].executable), slice_of(cases[i].file),
					     false),
			     cases[i].language, "%s", cases[i].executable);
}

/* Four records, as an engine or a roll-up makes two lines of them: the same report. */
Test(report, counts_what_was_counted_before)
{
	static const char bad[] =
		"{\"@timestamp\":\"2026-11-23T13:05:09Z\",\"event.action\":\"tls-handshake\","
		"\"destination.domain\":\"mx.example\",\"tls.version\":\"1.0\","
		"\"tlswitness.verdict\":\"below-floor\",\"tlswitness.script\":\"/srv/a.py\","
		"\"tlswitness.count\":3,\"tlswitness.first\":\"2026-11-23T13:05:07Z\"}";
	static const char lost[] =
		"{\"@timestamp\":\"2026-11-23T13:05:08Z\",\"event.action\":\"records-lost\","
		"\"tlswitness.lost\":70,\"tlswitness.count\":2}";
	struct json_line json = {0};
	struct entry entry;

	json_line_read(&json, slice_of(bad), &entry);
	cr_assert_eq(aggregate_add(&aggregate, &entry), AGGREGATE_COUNTED);
	json_line_read(&json, slice_of(lost), &entry);
	cr_assert_eq(aggregate_add(&aggregate, &entry), AGGREGATE_COUNTED);
	json_line_free(&json);
	make();
	cr_expect_eq(report->records.all, 5);
	cr_expect_eq(report->records.lost, 70);
	cr_expect_eq(report->records.lost_notices, 2);
	cr_expect_eq(report->total.connections, 3);
	cr_expect_eq(report->total.verdict[VERDICT_BELOW_FLOOR], 3);
	cr_expect_eq(report->total.last - report->total.first, 2 * MICROSECONDS_PER_SECOND);
	cr_assert_eq(report->group_count, 1);
	cr_expect_eq(report->groups[0].tally.connections, 3);
	cr_assert_eq(report->hour_count, 1);
	cr_expect_eq(report->hours[0].tally.version[VERSION_TLS_1_0], 3);
	cr_assert_geq(report->place_count, 1);
	cr_expect_eq(report->places[0].tally.connections, 3);
}
