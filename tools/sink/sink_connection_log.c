/*
 * The sink's own entry of its connections. It knows the facts of one, and
 * nothing of how they came about.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tools/base/options.h"
#include "tools/sink/sink_connection_log.h"
#include "tools/sink/openssl_3.h"

static const struct {
	sink_version version;
	const char *name;
} versions[] = {
	{TLS1_VERSION, "1.0"},
	{TLS1_1_VERSION, "1.1"},
	{TLS1_2_VERSION, "1.2"},
	{TLS1_3_VERSION, "1.3"},
};

#define VERSIONS_COUNT (sizeof(versions) / sizeof(versions[0]))

struct sink_connection_log {
	int fd;
	pthread_mutex_t mutex; /* held over one entry: its write, and its count */
	bool broken;           /* a write failed: said once, and remembered */
	unsigned long connections;
	unsigned long established[VERSIONS_COUNT];
	unsigned long failed;
	unsigned long in_clear;
};

const char *sink_version_name(sink_version version)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		if (versions[i].version == version)
			return versions[i].name;
	}
	return NULL;
}

sink_version sink_version_from_name(const char *name)
{
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		if (strcmp(versions[i].name, name) == 0)
			return versions[i].version;
	}
	return 0;
}

struct sink_connection_log *sink_connection_log_open(const char *path)
{
	struct sink_connection_log *log = calloc(1, sizeof(*log));
	if (log == NULL)
		return NULL;
	log->fd = strcmp(path, "-") == 0
			  ? STDOUT_FILENO
			  : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log->fd < 0) {
		free(log);
		return NULL;
	}
	pthread_mutex_init(&log->mutex, NULL);
	return log;
}

/* A key whose value is not known is left out. A text that is no UTF-8 makes no JSON string. */
static void set_text(json_t *line, const char *key, const char *value)
{
	json_t *string = value != NULL ? json_string(value) : NULL;
	if (string != NULL)
		json_object_set_new(line, key, string);
}

static void set_bool(json_t *line, const char *key, bool value)
{
	json_object_set_new(line, key, json_boolean(value));
}

static void set_time(json_t *line, const struct timespec *time)
{
	struct tm utc;
	char date[sizeof("2026-11-23T13:05:07")];
	char text[sizeof(date) + sizeof(".123456Z")];

	if (gmtime_r(&time->tv_sec, &utc) == NULL ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc) == 0)
		return;
	(void)snprintf(text, sizeof(text), "%s.%06ldZ", date, time->tv_nsec / 1000 % 1000000);
	set_text(line, "started", text);
}

static double milliseconds_between(const struct timespec *start, const struct timespec *end)
{
	return (double)(end->tv_sec - start->tv_sec) * 1e3 +
	       (double)(end->tv_nsec - start->tv_nsec) / 1e6;
}

static void set_client_random(json_t *line, const SSL *ssl)
{
	unsigned char random[SSL3_RANDOM_SIZE] = {0};
	static const unsigned char none[SSL3_RANDOM_SIZE];
	char hex[2 * SSL3_RANDOM_SIZE + 1];

	SSL_get_client_random(ssl, random, sizeof(random));
	if (memcmp(random, none, sizeof(random)) == 0)
		return; /* no ClientHello came */
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", random[i]);
	set_text(line, "client_random", hex);
}

static void set_offered(json_t *line, const struct sink_offer *offer)
{
	if (offer->count == 0)
		return;
	json_t *offered = json_array();
	for (unsigned i = 0; i < offer->count; i++)
		json_array_append_new(offered, json_string(sink_version_name(offer->versions[i])));
	json_object_set_new(line, "offered", offered);
}

/*
 * What was negotiated. On a handshake that failed the version and cipher are
 * known only if the server had chosen them: until then SSL_version() names the
 * highest that it would take.
 */
static void set_negotiated(json_t *line, const struct sink_log_entry *entry)
{
	SSL *ssl = entry->ssl;
	const SSL_CIPHER *cipher =
		entry->established ? SSL_get_current_cipher(ssl) : SSL_get_pending_cipher(ssl);

	if (cipher != NULL) {
		set_text(line, "version", sink_version_name(SSL_version(ssl)));
		set_text(line, "cipher", SSL_CIPHER_standard_name(cipher));
	}
	if (entry->established) {
		int group = (int)SSL_get_negotiated_group(ssl);
		if (group != 0)
			set_text(line, "curve", SSL_group_to_name(ssl, group));
		set_bool(line, "resumed", SSL_session_reused(ssl) == 1);
	}
	set_text(line, "server_name", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
	set_offered(line, entry->offer);
	set_client_random(line, ssl);
}

static void set_smtp(json_t *line, const struct smtp_facts *facts)
{
	set_bool(line, "starttls_offered", facts->starttls_offered);
	set_bool(line, "starttls_asked", facts->starttls_asked);
	set_bool(line, "ehlo", facts->ehlo);
	set_bool(line, "auth", facts->auth);
	set_bool(line, "auth_in_clear", facts->auth_in_clear);
	set_bool(line, "mail", facts->mail);
	set_bool(line, "mail_in_clear", facts->mail_in_clear);
	json_object_set_new(line, "messages", json_integer(facts->messages));
	set_bool(line, "quit", facts->quit);
}

/* The entry as one line with its newline, to be freed; NULL without memory. */
static char *entry_line(const struct sink_log_entry *entry)
{
	json_t *line = json_object();

	json_object_set_new(line, "connection", json_integer((json_int_t)entry->connection));
	set_time(line, &entry->started);
	json_object_set_new(line, "peer_port", json_integer(entry->peer_port));
	set_text(line, "tls_mode", entry->tls_mode);
	set_bool(line, "established", entry->established);
	set_text(line, "given", sink_version_name(entry->given));
	if (entry->ssl != NULL)
		set_negotiated(line, entry);
	set_smtp(line, entry->facts);
	set_text(line, "error", entry->error);
	double duration = milliseconds_between(&entry->started, &entry->ended);
	json_object_set_new(line, "duration_ms", json_real(duration));

	char *json = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(line);
	if (json == NULL)
		return NULL;
	char *text = NULL;
	if (asprintf(&text, "%s\n", json) < 0)
		text = NULL;
	free(json);
	return text;
}

/* One write, unless the kernel takes less: then the rest follows, still alone under the mutex. */
static bool write_whole(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t written = write(fd, text, left);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		text += written;
		left -= (size_t)written;
	}
	return true;
}

static void count(struct sink_connection_log *log, const struct sink_log_entry *entry)
{
	log->connections++;
	if (entry->ssl == NULL) {
		log->in_clear++;
		return;
	}
	if (!entry->established) {
		log->failed++;
		return;
	}
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		if (versions[i].version == SSL_version(entry->ssl))
			log->established[i]++;
	}
}

void sink_connection_log_add(struct sink_connection_log *log, const struct sink_log_entry *entry)
{
	char *text = entry_line(entry);

	pthread_mutex_lock(&log->mutex);
	count(log, entry);
	errno = ENOMEM;
	if ((text == NULL || !write_whole(log->fd, text)) && !log->broken) {
		log->broken = true;
		complain("an entry could not be written (%s): what the log holds is not all",
			 strerror(errno));
	}
	pthread_mutex_unlock(&log->mutex);
	free(text);
}

void sink_connection_log_summarize(struct sink_connection_log *log)
{
	const char *separator = ": ";

	(void)fprintf(stderr, "%lu connection%s", log->connections,
		      log->connections == 1 ? "" : "s");
	for (size_t i = 0; i < VERSIONS_COUNT; i++) {
		if (log->established[i] == 0)
			continue;
		(void)fprintf(stderr, "%s%lu x %s", separator, log->established[i],
			      versions[i].name);
		separator = ", ";
	}
	if (log->in_clear > 0) {
		(void)fprintf(stderr, "%s%lu x in the clear", separator, log->in_clear);
		separator = ", ";
	}
	if (log->failed > 0)
		(void)fprintf(stderr, "%s%lu x failed handshake", separator, log->failed);
	(void)fputc('\n', stderr);
}

bool sink_connection_log_close(struct sink_connection_log *log)
{
	bool ok = !log->broken;

	if (log->fd != STDOUT_FILENO && close(log->fd) != 0) {
		complain("the log could not be closed: %s", strerror(errno));
		ok = false;
	}
	pthread_mutex_destroy(&log->mutex);
	free(log);
	return ok;
}
