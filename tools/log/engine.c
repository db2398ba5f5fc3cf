/*
 * Knows HTTP (by libcurl), the engine's SQL and the record's fields; must not know what a report
 * shows.
 */
#include "tools/log/engine.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/base/timestamp.h"
#include "tools/log/counted.h"

/* One group is one line; a longer one is no answer to our question. */
#define ROW_MAX ((size_t)64 << 10)

/* What an engine says of an error; more is not shown. */
#define MESSAGE_MAX 400

/* The text of an hour, "2026-11-23T13", and how many of them a question can name. */
#define HOUR_LENGTH 13
#define HOURS_MAX   5000
#define HOURS_SIZE  ((size_t)HOURS_MAX * (HOUR_LENGTH + 1))

static const char prefix[] = "clickhouse+";

struct engine {
	CURL *curl;
	struct curl_slist *headers;
	pthread_t thread;
	bool running;
	int reading; /* the pipe's end that the reader has */
	int writing;
	char *table; /* DATABASE.TABLE */
	struct engine_window window;
	struct engine_hours hours;
	bool counts_days; /* it can say what arrived */
	uint64_t outside;
	char *row; /* the beginning of a row that is not whole yet */
	size_t row_length;
	uint64_t rows;
	bool refused; /* the answer is an error's text, in `message` */
	char message[MESSAGE_MAX];
};

bool engine_is_url(const char *text)
{
	return strncmp(text, prefix, sizeof(prefix) - 1) == 0;
}

/* ---- the question ---- */

/* Texts of one length, in UTC: their order is the order of time. */
static void print_moment(char text[48], int64_t microseconds)
{
	const time_t seconds = (time_t)(microseconds / 1000000);
	struct tm parts;
	size_t length = strftime(text, 48, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &parts));

	(void)snprintf(text + length, 48 - length, ".%06ldZ", (long)(microseconds % 1000000));
}

static void add_moment(FILE *out, const char *comparison, int64_t microseconds)
{
	char text[48];

	print_moment(text, microseconds);
	(void)fprintf(out, " AND `@timestamp` %s '%s'", comparison, text);
}

/* With hours, so that the engine need not look into the others. */
static void add_window(FILE *out, const struct engine_window *window, bool has_hours)
{
	char text[48];

	if (window->has_since)
		add_moment(out, ">=", window->since);
	if (window->has_until)
		add_moment(out, "<=", window->until);
	if (!has_hours)
		return;
	if (window->has_since) {
		print_moment(text, window->since);
		(void)fprintf(out, " AND hour >= '%.*s'", HOUR_LENGTH, text);
	}
	if (window->has_until) {
		print_moment(text, window->until);
		(void)fprintf(out, " AND hour <= '%.*s'", HOUR_LENGTH, text);
	}
}

static void add_hours(FILE *out, const char *comparison, const struct engine_hours *hours)
{
	(void)fprintf(out, " AND hour %s (''", comparison);
	for (size_t i = 0; i < hours->count; i++)
		(void)fprintf(out, ",'%.*s'", HOUR_LENGTH, hours->text + i * HOUR_LENGTH);
	(void)fputs(")", out);
}

static const char *database_end(const char *table)
{
	return strchr(table, '.');
}

/* Which rows of which table: see engine_hours. */
static void add_source(FILE *out, const char *table, const struct engine_hours *hours,
		       enum engine_source source)
{
	int database = (int)(database_end(table) - table);

	if (source == ENGINE_ROLLED) {
		(void)fprintf(out,
			      "%s_hours WHERE (hour, generation) IN (SELECT hour, max(generation)"
			      " FROM %.*s.local_rolled GROUP BY hour)",
			      table, database, table);
		add_hours(out, "NOT IN", hours);
		return;
	}
	(void)fprintf(out, "%s FINAL WHERE `event.action` != ''", table);
	if (hours->rolled)
		add_hours(out, "IN", hours);
}

/* How many records lie outside of the window. */
static char *question_outside(const char *table, const struct engine_window *window,
			      const struct engine_hours *hours, enum engine_source source)
{
	char *question = NULL;
	size_t length;
	FILE *out = open_memstream(&question, &length);

	if (!out)
		table_out_of_memory();
	(void)fputs("SELECT sum(`tlswitness.count`) FROM ", out);
	add_source(out, table, hours, source);
	(void)fputs(" AND NOT (1 = 1", out);
	add_window(out, window, false);
	(void)fputs(") FORMAT TabSeparated", out);
	if (fclose(out) != 0)
		table_out_of_memory();
	return question;
}

char *engine_question(const char *table, const struct engine_window *window,
		      const struct engine_hours *hours, enum engine_source source)
{
	char *question = NULL;
	size_t length;
	FILE *out = open_memstream(&question, &length);

	if (!out)
		table_out_of_memory();
	(void)fputs("SELECT max(`@timestamp`) AS last", out);
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		if (counted_tells_apart((enum entry_field)i))
			(void)fprintf(out, ", `%s`", counted_fields[i].key);
	}
	(void)fputs(", sum(`tlswitness.lost`) AS lost, sum(`tlswitness.count`) AS count,"
		    " min(`tlswitness.first`) AS first FROM ",
		    out);
	add_source(out, table, hours, source);
	add_window(out, window, hours->rolled);
	(void)fputs(" GROUP BY substring(`@timestamp`, 1, 13)", out);
	for (size_t i = 0; i < window->cut_count; i++) {
		char text[48];

		print_moment(text, window->cut[i]);
		(void)fprintf(out, ", `@timestamp` >= '%s'", text);
	}
	for (int i = 0; i < ENTRY_FIELDS; i++) {
		if (counted_tells_apart((enum entry_field)i))
			(void)fprintf(out, ", `%s`", counted_fields[i].key);
	}
	(void)fputs(" FORMAT JSONEachRow", out);
	if (fclose(out) != 0)
		table_out_of_memory();
	return question;
}

/* What arrived of each host on each day, and what did not. */
static char *question_delivered(const char *table)
{
	char *question = NULL;

	if (asprintf(&question,
		     "SELECT concat(toString(day), 'T00:00:00.000000Z') AS last,"
		     " '" ENGINE_DELIVERED "' AS `event.action`, `host.name`, sum(lost) AS lost,"
		     " sum(arrived) AS count FROM %s_delivered GROUP BY day, `host.name`"
		     " FORMAT JSONEachRow",
		     table) < 0)
		table_out_of_memory();
	return question;
}

/* ---- which hours are read how ---- */

static bool is_hour(const char *text)
{
	static const char shape[] = "0000-00-00T00";

	for (size_t i = 0; i < HOUR_LENGTH; i++) {
		if (shape[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != shape[i])
			return false;
	}
	return true;
}

/* False if there are too many. */
static bool add_hour(struct engine_hours *hours, const char *text)
{
	if (hours->count == HOURS_MAX)
		return false;
	memcpy(hours->text + hours->count++ * HOUR_LENGTH, text, HOUR_LENGTH);
	return true;
}

/* An hour of which a part was asked for is read by its records, where there still are any. */
static bool add_cut(struct engine_hours *hours, int64_t microseconds, const char *dropped)
{
	char text[48];

	if (microseconds % MICROSECONDS_PER_HOUR == 0)
		return true;
	print_moment(text, microseconds);
	return strncmp(text, dropped, HOUR_LENGTH) < 0 || add_hour(hours, text);
}

/* ---- the answer ---- */

static const json_t *column(const json_t *row, const char *key)
{
	static const struct {
		const char *key;
		const char *column;
	} summed[] = {{"@timestamp", "last"},
		      {"tlswitness.lost", "lost"},
		      {"tlswitness.count", "count"},
		      {"tlswitness.first", "first"}};

	for (size_t i = 0; i < sizeof(summed) / sizeof(summed[0]); i++) {
		if (strcmp(key, summed[i].key) == 0)
			return json_object_get(row, summed[i].column);
	}
	return json_object_get(row, key);
}

/* An empty text and 0 are what the engine has for "not known". 64-bit numbers come as texts. */
static json_t *value_of(const json_t *cell, enum entry_kind kind)
{
	const char *words = json_string_value(cell);

	if (kind == ENTRY_KIND_NUMBER) {
		json_int_t number = words ? strtoll(words, NULL, 10) : json_integer_value(cell);

		return number ? json_integer(number) : NULL;
	}
	if (!words || !words[0])
		return NULL;
	if (kind == ENTRY_KIND_BOOLEAN)
		return json_boolean(strcmp(words, "true") == 0);
	if (kind == ENTRY_KIND_VERSIONS || kind == ENTRY_KIND_WITNESSES)
		return json_loads(words, 0, NULL);
	return json_string(words);
}

/* The row as the recorder would have written such a record; false if it is no row of ours. */
static bool write_row(struct engine *engine, const char *text, size_t length)
{
	json_t *row = json_loadb(text, length, 0, NULL);
	json_t *record = json_object();
	char *line = NULL;
	size_t size;
	bool written = false;

	for (int i = 0; i < ENTRY_FIELDS; i++) {
		json_t *value =
			value_of(column(row, counted_fields[i].key), counted_fields[i].kind);

		if (value && json_object_set_new(record, counted_fields[i].key, value) != 0)
			goto out;
	}
	/* No action: an error in the middle of the answer, or another server's answer. */
	if (!json_object_get(record, "event.action"))
		goto out;
	line = json_dumps(record, JSON_COMPACT);
	if (!line)
		goto out;
	size = strlen(line);
	line[size] = '\n'; /* the terminator's place; written by its length */
	for (size_t done = 0; done <= size;) {
		/* A reader that has given up is no reason for a signal. */
		ssize_t part = send(engine->writing, line + done, size + 1 - done, MSG_NOSIGNAL);

		if (part < 0 && errno != EINTR)
			goto out;
		done += part > 0 ? (size_t)part : 0;
	}
	engine->rows++;
	written = true;
out:
	free(line);
	json_decref(record);
	json_decref(row);
	return written;
}

/* False once there is more of it than anybody would read: the transfer then ends. */
static bool remember_message(struct engine *engine, const char *text, size_t length)
{
	size_t used = strlen(engine->message);

	for (size_t i = 0; i < length && used + 1 < MESSAGE_MAX; i++) {
		/* Whoever reads it has a terminal. */
		engine->message[used++] = (char)(isprint((unsigned char)text[i]) ? text[i] : ' ');
	}
	engine->message[used] = '\0';
	return used + 1 < MESSAGE_MAX;
}

/* For libcurl: anything but `length` ends the transfer. */
static size_t receive(char *bytes, size_t size, size_t length, void *context)
{
	struct engine *engine = context;
	long status = 0;
	size_t at = 0;

	(void)size;
	(void)curl_easy_getinfo(engine->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		engine->refused = true;
		return remember_message(engine, bytes, length) ? length : 0;
	}
	while (at < length) {
		const char *newline = memchr(bytes + at, '\n', length - at);
		size_t part = (newline ? (size_t)(newline - bytes) : length) - at;

		if (engine->row_length + part > ROW_MAX)
			return 0;
		memcpy(engine->row + engine->row_length, bytes + at, part);
		engine->row_length += part;
		at += part;
		if (!newline)
			break;
		if (engine->row_length > 0 && !write_row(engine, engine->row, engine->row_length)) {
			engine->refused = true;
			(void)remember_message(engine, engine->row, engine->row_length);
			return 0;
		}
		engine->row_length = 0;
		at++;
	}
	return length;
}

static size_t receive_words(char *bytes, size_t size, size_t length, void *context)
{
	(void)size;
	return remember_message(context, bytes, length) ? length : 0;
}

/* A question with a short answer, which is then in `message`. */
static CURLcode ask_words(struct engine *engine, const char *question)
{
	long status = 0;
	CURLcode code;

	engine->message[0] = '\0';
	(void)curl_easy_setopt(engine->curl, CURLOPT_WRITEFUNCTION, receive_words);
	(void)curl_easy_setopt(engine->curl, CURLOPT_POSTFIELDS, question);
	code = curl_easy_perform(engine->curl);
	if (code != CURLE_OK)
		return code;
	(void)curl_easy_getinfo(engine->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200) {
		engine->refused = true;
		return CURLE_HTTP_RETURNED_ERROR;
	}
	return CURLE_OK;
}

static CURLcode ask_number(struct engine *engine, const char *question, uint64_t *number)
{
	CURLcode code = ask_words(engine, question);

	if (code != CURLE_OK)
		return code;
	if (!isdigit((unsigned char)engine->message[0])) {
		engine->refused = true;
		return CURLE_BAD_CONTENT_ENCODING;
	}
	*number = strtoull(engine->message, NULL, 10);
	engine->message[0] = '\0';
	return CURLE_OK;
}

/*
 * A server that leaves out shards which are away answers with less, and says so to nobody. A
 * user who may only read can't switch that off, but can ask.
 */
static CURLcode ask_whether_whole(struct engine *engine)
{
	static const char question[] = "SELECT count() FROM system.settings "
				       "WHERE name = 'skip_unavailable_shards' AND value != '0'";
	uint64_t hiding = 0;
	CURLcode code = ask_number(engine, question, &hiding);

	if (code != CURLE_OK || hiding == 0)
		return code;
	(void)snprintf(engine->message, sizeof(engine->message),
		       "its setting skip_unavailable_shards would hide what is missing; "
		       "set it to 0 for this user");
	engine->refused = true;
	return CURLE_HTTP_RETURNED_ERROR;
}

/* Does it have what examples/fleet/schema.sql makes beside the table of the records? */
static CURLcode ask_whether_rolled(struct engine *engine)
{
	const char *name = database_end(engine->table) + 1;
	char *question = NULL;
	uint64_t there = 0;
	CURLcode code;

	if (asprintf(&question,
		     "SELECT count() FROM system.tables WHERE database = '%.*s' AND name IN"
		     " ('%s_hours', '%s_open_hours', '%s_dropped', '%s_delivered', 'local_rolled')",
		     (int)(name - 1 - engine->table), engine->table, name, name, name, name) < 0)
		table_out_of_memory();
	code = ask_number(engine, question, &there);
	free(question);
	engine->counts_days = engine->hours.rolled = there == 5;
	return code;
}

/* For libcurl: the hours, one a line, into `row`. */
static size_t receive_hours(char *bytes, size_t size, size_t length, void *context)
{
	struct engine *engine = context;

	(void)size;
	if (engine->row_length + length > HOURS_SIZE + HOUR_LENGTH + 1)
		return 0;
	memcpy(engine->row + engine->row_length, bytes, length);
	engine->row_length += length;
	return length;
}

/* What is open is read by its records; if that is nearly all, then all is. */
static CURLcode ask_for_open_hours(struct engine *engine)
{
	char *question = NULL;
	long status = 0;
	CURLcode code;

	if (asprintf(&question,
		     "SELECT DISTINCT hour FROM %s_open_hours ORDER BY hour LIMIT %d"
		     " FORMAT TabSeparated",
		     engine->table, HOURS_MAX) < 0)
		table_out_of_memory();
	(void)curl_easy_setopt(engine->curl, CURLOPT_WRITEFUNCTION, receive_hours);
	(void)curl_easy_setopt(engine->curl, CURLOPT_POSTFIELDS, question);
	code = curl_easy_perform(engine->curl);
	free(question);
	if (code != CURLE_OK)
		return code;
	(void)curl_easy_getinfo(engine->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 || engine->row_length % (HOUR_LENGTH + 1) != 0)
		goto wrong;
	for (size_t at = 0; at < engine->row_length; at += HOUR_LENGTH + 1) {
		if (!is_hour(engine->row + at) || engine->row[at + HOUR_LENGTH] != '\n')
			goto wrong;
		if (!add_hour(&engine->hours, engine->row + at))
			break;
	}
	engine->row_length = 0;
	if (engine->hours.count == HOURS_MAX)
		engine->hours.rolled = false;
	return CURLE_OK;
wrong:
	engine->refused = true;
	(void)remember_message(engine, engine->row, engine->row_length);
	engine->row_length = 0;
	return CURLE_HTTP_RETURNED_ERROR;
}

static CURLcode ask_for_hours(struct engine *engine)
{
	const struct engine_window *window = &engine->window;
	char *question = NULL;
	CURLcode code = ask_whether_rolled(engine);
	bool fits = true;

	if (code != CURLE_OK || !engine->hours.rolled)
		return code;
	code = ask_for_open_hours(engine);
	if (code != CURLE_OK)
		return code;
	if (asprintf(&question, "SELECT max(until) FROM %s_dropped FORMAT TabSeparated",
		     engine->table) < 0)
		table_out_of_memory();
	code = ask_words(engine, question);
	free(question);
	if (code != CURLE_OK)
		return code;
	if (window->has_since)
		fits = add_cut(&engine->hours, window->since, engine->message);
	if (window->has_until)
		fits = add_cut(&engine->hours, window->until, engine->message) && fits;
	for (size_t i = 0; i < window->cut_count; i++)
		fits = add_cut(&engine->hours, window->cut[i], engine->message) && fits;
	engine->hours.rolled = fits && engine->hours.rolled;
	engine->message[0] = '\0';
	return CURLE_OK;
}

static CURLcode ask_outside(struct engine *engine, enum engine_source source)
{
	char *question = question_outside(engine->table, &engine->window, &engine->hours, source);
	uint64_t records = 0;
	CURLcode code = ask_number(engine, question, &records);

	free(question);
	engine->outside += records;
	return code;
}

/* Takes the question. */
static CURLcode ask_for_rows(struct engine *engine, char *question)
{
	CURLcode code;

	(void)curl_easy_setopt(engine->curl, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(engine->curl, CURLOPT_POSTFIELDS, question);
	code = curl_easy_perform(engine->curl);
	free(question);
	if (code == CURLE_OK && engine->row_length > 0 && !engine->refused) {
		engine->refused = true;
		(void)remember_message(engine, "the answer ends within a row", 28);
	}
	return engine->refused ? CURLE_HTTP_RETURNED_ERROR : code;
}

static CURLcode ask_all(struct engine *engine)
{
	bool bounded = engine->window.has_since || engine->window.has_until;
	CURLcode code = ask_whether_whole(engine);

	if (code == CURLE_OK)
		code = ask_for_hours(engine);
	if (code == CURLE_OK && bounded)
		code = ask_outside(engine, ENGINE_RECORDS);
	if (code == CURLE_OK && bounded && engine->hours.rolled)
		code = ask_outside(engine, ENGINE_ROLLED);
	if (code == CURLE_OK && engine->counts_days)
		code = ask_for_rows(engine, question_delivered(engine->table));
	if (code == CURLE_OK)
		code = ask_for_rows(engine, engine_question(engine->table, &engine->window,
							    &engine->hours, ENGINE_RECORDS));
	if (code == CURLE_OK && engine->hours.rolled)
		code = ask_for_rows(engine, engine_question(engine->table, &engine->window,
							    &engine->hours, ENGINE_ROLLED));
	return code;
}

static void *transfer(void *argument)
{
	struct engine *engine = argument;
	CURLcode code = ask_all(engine);

	if (code != CURLE_OK && !engine->refused) {
		engine->refused = true;
		engine->message[0] = '\0';
		(void)remember_message(engine, curl_easy_strerror(code),
				       strlen(curl_easy_strerror(code)));
	}
	close(engine->writing);
	engine->writing = -1;
	return NULL;
}

/* ---- opening and closing ---- */

/* "DATABASE.TABLE" of the URL's path and query, if both are plain names; free it with free. */
static char *table_of(CURLU *url)
{
	char *path = NULL;
	char *query = NULL;
	char *table = NULL;
	const char *name = "tls";

	if (curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		return NULL;
	if (curl_url_get(url, CURLUPART_QUERY, &query, 0) == CURLUE_OK) {
		if (strncmp(query, "table=", 6) != 0)
			goto out;
		name = query + 6;
	}
	/* Names go into the question as they are, so they are names and nothing else. */
	if (strlen(path) < 2 ||
	    strspn(path + 1, "abcdefghijklmnopqrstuvwxyz"
			     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(path + 1) ||
	    !name[0] ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(name))
		goto out;
	if (asprintf(&table, "%s.%s", path + 1, name) < 0)
		table_out_of_memory();
out:
	curl_free(path);
	curl_free(query);
	return table;
}

static bool has_password(CURLU *url)
{
	char *text = NULL;
	bool has = curl_url_get(url, CURLUPART_PASSWORD, &text, 0) == CURLUE_OK ||
		   curl_url_get(url, CURLUPART_USER, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

/* The URL to ask, with what makes a partial answer an error; NULL with a complaint. */
static char *prepare(const char *text, char **table)
{
	CURLU *url = curl_url();
	char *asked = NULL;

	if (!url)
		table_out_of_memory();
	if (curl_url_set(url, CURLUPART_URL, text + sizeof(prefix) - 1, 0) != CURLUE_OK) {
		complain("'%s' is no URL; it should look like "
			 "clickhouse+https://host:8443/tlswitness?table=tls",
			 text);
		goto out;
	}
	if (has_password(url)) {
		complain("the URL of an engine takes no user and password, which anybody could "
			 "read there; set TLSWITNESS_ENGINE_USER and TLSWITNESS_ENGINE_PASSWORD, "
			 "or use ~/.netrc");
		goto out;
	}
	*table = table_of(url);
	if (!*table) {
		complain("'%s' names no table; it should look like "
			 "clickhouse+https://host:8443/tlswitness?table=tls",
			 text);
		goto out;
	}
	/* The status is an error's only if the engine waits with it until all is known. */
	if (curl_url_set(url, CURLUPART_PATH, "/", 0) != CURLUE_OK ||
	    curl_url_set(url, CURLUPART_QUERY, "wait_end_of_query=1", 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_URL, &asked, 0) != CURLUE_OK)
		table_out_of_memory();
out:
	curl_url_cleanup(url);
	return asked;
}

static void set_options(struct engine *engine, const char *url)
{
	CURL *curl = engine->curl;
	const char *user = getenv("TLSWITNESS_ENGINE_USER");
	const char *password = getenv("TLSWITNESS_ENGINE_PASSWORD");
	const char *authorities = getenv("TLSWITNESS_ENGINE_CA");

	engine->headers = curl_slist_append(NULL, "Content-Type: text/plain");
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
#if LIBCURL_VERSION_NUM >= 0x075500
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 15L);
	/* An engine that says nothing for ten minutes has no answer. */
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 600L);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, engine->headers);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, engine);
	if (authorities)
		(void)curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
	if (user)
		(void)curl_easy_setopt(curl, CURLOPT_USERNAME, user);
	if (password)
		(void)curl_easy_setopt(curl, CURLOPT_PASSWORD, password);
	if (!user && !password)
		(void)curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
}

struct engine *engine_open(const char *url, const struct engine_window *window)
{
	struct engine *engine = NULL;
	char *table = NULL;
	char *asked = prepare(url, &table);
	int ends[2];

	if (!asked)
		goto out;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
		complain("no sockets could be made for '%s': %s", url, strerror(errno));
		goto out;
	}
	engine = table_allocate(sizeof(*engine));
	memset(engine, 0, sizeof(*engine));
	engine->reading = ends[0];
	engine->writing = ends[1];
	engine->row = table_allocate(HOURS_SIZE + ROW_MAX);
	engine->hours.text = table_allocate(HOURS_SIZE);
	engine->table = table;
	engine->window = *window;
	table = NULL;
	engine->curl = curl_easy_init();
	if (!engine->curl)
		table_out_of_memory();
	set_options(engine, asked);
	engine->running = pthread_create(&engine->thread, NULL, transfer, engine) == 0;
	if (!engine->running) {
		complain("no thread could be started for '%s'", url);
		engine_close(engine);
		engine = NULL;
	}
out:
	free(table);
	curl_free(asked);
	return engine;
}

int engine_descriptor(const struct engine *engine)
{
	return engine->reading;
}

const char *engine_finish(struct engine *engine)
{
	if (engine->running)
		pthread_join(engine->thread, NULL);
	engine->running = false;
	return engine->refused ? engine->message : NULL;
}

uint64_t engine_outside(const struct engine *engine)
{
	return engine->outside;
}

void engine_close(struct engine *engine)
{
	/* A transfer under way ends when nobody reads it any more. */
	close(engine->reading);
	(void)engine_finish(engine);
	if (engine->writing >= 0)
		close(engine->writing);
	curl_easy_cleanup(engine->curl);
	curl_slist_free_all(engine->headers);
	free(engine->table);
	free(engine->hours.text);
	free(engine->row);
	free(engine);
}
