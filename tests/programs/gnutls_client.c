/*
 * A mail client over GnuTLS, told exactly what to do: gnutls_client PORT [KEY=VALUE...]
 *   priorities=STRING   gnutls_priority_set_direct; "default" for the library's own (the default)
 *   append=STRING       gnutls_set_default_priority_append
 *   cache=STRING        gnutls_priority_init and gnutls_priority_set, the cache given back before
 *                       the handshake
 *   bits=N              gnutls_dh_set_prime_bits
 *   transport=int|ptr|functions|memory
 *   step=blocking|nonblocking
 *   verify=none|auto|auto-chain|peers2|peers3|peers|callback|name|name-alone|names|ip|fingerprint|
 *          list|list-chain|old-list   the chain taken out of the session
 *   dane=FILE usage=N   the certificate in it, that of a TLSA record (no DNS is asked); "absent"
 *                       for a name that has no such record
 *   host=NAME           the name to verify (localhost); authority=FILE to trust
 *   then=quit|nothing|exit|_exit|close|rehandshake|send-first
 *   then=give-up        behind the ClientHello, whatever the server has said to it
 *   threads=N count=N   of connections, one after another in each thread
 *   others=N            sessions that are there all the while and do nothing
 * Prints nothing; exits with 1 and GnuTLS's words on stderr when something fails.
 */
#include <arpa/inet.h>
#include <pthread.h>

#include <gnutls/dane.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/* What the recorder declares by itself is what GnuTLS declares: the compiler compares. */
#include "shim/gnutls/gnutls_api.h"
#include "tests/programs/client.h"

static const char *const *settings;
static unsigned port;
static gnutls_certificate_credentials_t credentials;

static const char *setting(const char *key, const char *otherwise)
{
	const size_t length = strlen(key);

	for (const char *const *word = settings; *word; word++) {
		if (strncmp(*word, key, length) == 0 && (*word)[length] == '=')
			return *word + length + 1;
	}
	return otherwise;
}

static bool is_set(const char *key, const char *value)
{
	return strcmp(setting(key, ""), value) == 0;
}

static void check(int result, const char *what)
{
	if (result >= 0)
		return;
	(void)fprintf(stderr, "%s: %s\n", what, gnutls_strerror(result));
	exit(1);
}

static void refuse_certificate(const char *why)
{
	(void)fprintf(stderr, "certificate: %s\n", why);
	exit(1);
}

/* ---- the transports ---- */

/* What a transport of the application's own hands to its functions. */
struct transport {
	int fd;
	char padding[64]; /* no small number: a pointer into the heap */
};

static ssize_t pull(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	return recv(((struct transport *)pointer)->fd, bytes, size, 0);
}

static ssize_t push(gnutls_transport_ptr_t pointer, const void *bytes, size_t size)
{
	return send(((struct transport *)pointer)->fd, bytes, size, MSG_NOSIGNAL);
}

/* As pull, from what was read before: the library is never there when libc is called. */
static ssize_t pull_memory(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	static __thread char kept[65536];
	static __thread size_t length;
	ssize_t more;

	if (length == 0) {
		more = recv(((struct transport *)pointer)->fd, kept, sizeof(kept), 0);
		if (more <= 0)
			return more;
		length = (size_t)more;
	}
	if (size > length)
		size = length;
	memcpy(bytes, kept, size);
	memmove(kept, kept + size, length - size);
	length -= size;
	return (ssize_t)size;
}

static void set_transport(gnutls_session_t session, struct transport *transport)
{
	const char *kind = setting("transport", "int");

	if (strcmp(kind, "int") == 0) {
		gnutls_transport_set_int(session, transport->fd);
	} else if (strcmp(kind, "ptr") == 0) {
		gnutls_transport_set_ptr(session, (gnutls_transport_ptr_t)(intptr_t)transport->fd);
	} else {
		gnutls_transport_set_ptr2(session, transport, transport);
		gnutls_transport_set_pull_function(
			session, strcmp(kind, "memory") == 0 ? pull_memory : pull);
		gnutls_transport_set_push_function(session, push);
	}
}

/* ---- the settings ---- */

static void set_priorities(gnutls_session_t session)
{
	const char *text = setting("priorities", NULL);
	const char *append = setting("append", NULL);
	const char *cached = setting("cache", NULL);
	const char *bits = setting("bits", NULL);
	const char *error;
	gnutls_priority_t cache;

	if (text)
		check(gnutls_priority_set_direct(session, text, &error), "priorities");
	else if (append)
		check(gnutls_set_default_priority_append(session, append, &error, 0), "append");
	else if (!cached)
		check(gnutls_set_default_priority(session), "default");
	if (cached) {
		check(gnutls_priority_init(&cache, cached, &error), "cache");
		check(gnutls_priority_set(session, cache), "set");
		gnutls_priority_deinit(cache);
	}
	if (bits)
		gnutls_dh_set_prime_bits(session, (unsigned)strtoul(bits, NULL, 10));
}

/* ---- the certificate ---- */

static const char *host(void)
{
	return setting("host", "localhost");
}

static void refuse_status(unsigned status)
{
	gnutls_datum_t words;

	if (status == 0)
		return;
	check(gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &words, 0),
	      "status");
	refuse_certificate((const char *)words.data);
}

static bool is_named_by_hand(gnutls_x509_crt_t certificate)
{
	char name[256];
	size_t size = sizeof(name);
	int result;

	for (unsigned i = 0;; i++, size = sizeof(name)) {
		result = gnutls_x509_crt_get_subject_alt_name(certificate, i, name, &size, NULL);
		if (result < 0)
			return false;
		if (result == GNUTLS_SAN_DNSNAME && size == strlen(host()) &&
		    memcmp(name, host(), size) == 0)
			return true;
	}
}

/* The certificate itself, looked at by the application. */
static void look(gnutls_session_t session, const char *how)
{
	const unsigned char loopback[] = {127, 0, 0, 1};
	unsigned count;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	unsigned char fingerprint[32];
	size_t size = sizeof(fingerprint);
	gnutls_x509_crt_t certificate;
	unsigned matches = 1;

	if (!chain)
		refuse_certificate("there is none");
	check(gnutls_x509_crt_init(&certificate), "init");
	check(gnutls_x509_crt_import(certificate, chain, GNUTLS_X509_FMT_DER), "import");
	if (strcmp(how, "names") == 0)
		matches = is_named_by_hand(certificate);
	else if (strcmp(how, "name") == 0)
		matches = gnutls_x509_crt_check_hostname(certificate, host());
	else if (strcmp(how, "ip") == 0)
		matches = gnutls_x509_crt_check_ip(certificate, loopback, sizeof(loopback), 0);
	else
		check(gnutls_x509_crt_get_fingerprint(certificate, GNUTLS_DIG_SHA256, fingerprint,
						      &size),
		      "fingerprint");
	gnutls_x509_crt_deinit(certificate);
	if (!matches)
		refuse_certificate("it is for another name");
}

static int verify_in_callback(gnutls_session_t session)
{
	unsigned status;
	int result = gnutls_certificate_verify_peers3(session, host(), &status);

	return result == 0 && status == 0 ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
}

static void prepare_verification(gnutls_session_t session)
{
	static gnutls_typed_vdata_st data;

	if (is_set("verify", "auto"))
		gnutls_session_set_verify_cert(session, host(), 0);
	else if (is_set("verify", "auto-chain"))
		gnutls_session_set_verify_cert(session, NULL, 0);
	else if (is_set("verify", "auto2")) {
		data.type = GNUTLS_DT_DNS_HOSTNAME;
		data.data = (unsigned char *)host();
		gnutls_session_set_verify_cert2(session, &data, 1, 0);
	}
}

/* Against a TLSA record "N 0 0": the whole certificate. */
static void verify_by_dane(gnutls_session_t session)
{
	const char *path = setting("dane", NULL);
	char bytes[4096] = {(char)strtol(setting("usage", "3"), NULL, 10), 0, 0};
	char *records[] = {bytes, NULL};
	int lengths[] = {0, 0};
	size_t size = sizeof(bytes) - 3;
	unsigned count;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	gnutls_datum_t file = {NULL, 0};
	gnutls_x509_crt_t certificate;
	dane_state_t state;
	dane_query_t query;
	unsigned status = 0;
	int result;

	if (!path)
		return;
	if (strcmp(path, "absent") != 0) {
		check(gnutls_load_file(path, &file), path);
		check(gnutls_x509_crt_init(&certificate), "init");
		check(gnutls_x509_crt_import(certificate, &file, GNUTLS_X509_FMT_PEM), "import");
		check(gnutls_x509_crt_export(certificate, GNUTLS_X509_FMT_DER, bytes + 3, &size),
		      "export");
		gnutls_x509_crt_deinit(certificate);
		lengths[0] = (int)size + 3;
	} else {
		records[0] = NULL;
	}
	if (dane_state_init(&state, DANE_F_IGNORE_DNSSEC) != 0 ||
	    dane_raw_tlsa(state, &query, records, lengths, 1, 0) != 0)
		refuse_certificate("no state");
	result = dane_verify_crt_raw(state, chain, count, GNUTLS_CRT_X509, query, 0, 0, &status);
	if (result != 0 || status != 0)
		refuse_certificate("it is not the one of the TLSA record");
	dane_query_deinit(query);
	dane_state_deinit(state);
}

/* What a server sent, held against an authority by functions that know no session. */
static unsigned verify_chain(gnutls_session_t session, const char *how)
{
	gnutls_typed_vdata_st data = {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)host(), 0};
	const char *path = setting("authority", "");
	unsigned count;
	const gnutls_datum_t *sent = gnutls_certificate_get_peers(session, &count);
	gnutls_x509_trust_list_t list;
	gnutls_x509_crt_t certificate;
	gnutls_x509_crt_t authority;
	gnutls_datum_t file;
	unsigned status = 0;

	check(gnutls_load_file(path, &file), path);
	check(gnutls_x509_crt_init(&certificate), "init");
	check(gnutls_x509_crt_import(certificate, sent, GNUTLS_X509_FMT_DER), "import");
	check(gnutls_x509_crt_init(&authority), "init");
	check(gnutls_x509_crt_import(authority, &file, GNUTLS_X509_FMT_PEM), "import");
	check(gnutls_x509_trust_list_init(&list, 0), "init");
	check(gnutls_x509_trust_list_add_cas(list, &authority, 1, 0), "trust");
	if (strcmp(how, "list") == 0)
		check(gnutls_x509_trust_list_verify_crt2(list, &certificate, 1, &data, 1, 0,
							 &status, NULL),
		      "verify");
	else if (strcmp(how, "list-chain") == 0)
		check(gnutls_x509_trust_list_verify_crt(list, &certificate, 1, 0, &status, NULL),
		      "verify");
	else
		check(gnutls_x509_crt_list_verify(&certificate, 1, &authority, 1, NULL, 0, 0,
						  &status),
		      "verify");
	gnutls_x509_trust_list_deinit(list, 0);
	gnutls_x509_crt_deinit(certificate);
	gnutls_x509_crt_deinit(authority);
	return status;
}

static void verify(gnutls_session_t session)
{
	const char *how = setting("verify", "none");
	gnutls_typed_vdata_st data = {GNUTLS_DT_DNS_HOSTNAME, (unsigned char *)host(), 0};
	unsigned status = 0;

	if (strcmp(how, "peers") == 0)
		check(gnutls_certificate_verify_peers(session, &data, 1, &status), "verify");
	else if (strcmp(how, "peers3") == 0)
		check(gnutls_certificate_verify_peers3(session, host(), &status), "verify");
	else if (strcmp(how, "peers2") == 0 || strcmp(how, "name") == 0 ||
		 strcmp(how, "names") == 0 || strcmp(how, "ip") == 0)
		check(gnutls_certificate_verify_peers2(session, &status), "verify");
	else if (strstr(how, "list"))
		status = verify_chain(session, how);
	refuse_status(status);
	if (strcmp(how, "name") == 0 || strcmp(how, "names") == 0 || strcmp(how, "ip") == 0 ||
	    strcmp(how, "fingerprint") == 0)
		look(session, how);
	else if (strcmp(how, "name-alone") == 0)
		look(session, "name");
	verify_by_dane(session);
}

/* ---- the connection ---- */

/* After GNUTLS_E_AGAIN: on a blocking descriptor it is a ticket that has passed. */
static void await_turn(int fd, short events)
{
	if (is_set("step", "nonblocking"))
		await(fd, events);
}

static void shake_hands(gnutls_session_t session, int fd)
{
	int result;

	if (is_set("step", "nonblocking"))
		set_nonblocking(fd);
	do {
		result = gnutls_handshake(session);
		if (result == GNUTLS_E_AGAIN)
			await_turn(fd, gnutls_record_get_direction(session) ? POLLOUT : POLLIN);
	} while (result < 0 && !gnutls_error_is_fatal(result));
	check(result, "handshake");
}

static ssize_t pull_nothing(gnutls_transport_ptr_t pointer, void *bytes, size_t size)
{
	(void)pointer;
	(void)bytes;
	(void)size;
	errno = EAGAIN;
	return -1;
}

static void give_up(gnutls_session_t session)
{
	gnutls_transport_set_pull_function(session, pull_nothing);
	if (gnutls_handshake(session) != GNUTLS_E_AGAIN)
		fail("the handshake did not wait");
}

static void send_words(gnutls_session_t session, int fd, const char *words)
{
	ssize_t result;

	while ((result = gnutls_record_send(session, words, strlen(words))) == GNUTLS_E_AGAIN)
		await_turn(fd, POLLOUT);
	check((int)result, "send");
}

static ssize_t receive(gnutls_session_t session, int fd)
{
	char bytes[1024];
	ssize_t result;

	do {
		result = gnutls_record_recv(session, bytes, sizeof(bytes));
		if (result == GNUTLS_E_AGAIN)
			await_turn(fd, POLLIN);
	} while (result == GNUTLS_E_AGAIN);
	if (result < 0 && result != GNUTLS_E_PREMATURE_TERMINATION)
		check((int)result, "receive");
	return result;
}

static void go_on(gnutls_session_t session, int fd)
{
	const char *then = setting("then", "quit");

	if (strcmp(then, "exit") == 0)
		exit(0);
	if (strcmp(then, "_exit") == 0)
		_exit(0);
	if (strcmp(then, "close") == 0)
		close(fd);
	if (strcmp(then, "close") == 0 || strcmp(then, "nothing") == 0)
		return;
	if (strcmp(then, "send-first") != 0)
		(void)receive(session, fd);
	if (strcmp(then, "rehandshake") == 0)
		(void)gnutls_handshake(session);
	send_words(session, fd, "QUIT\r\n");
	while (receive(session, fd) > 0)
		;
	(void)gnutls_bye(session, GNUTLS_SHUT_WR);
}

static void connect_once(void)
{
	struct transport *transport = calloc(1, sizeof(*transport));
	gnutls_session_t session;

	if (!transport)
		fail("calloc");
	transport->fd = dial(port);
	check(gnutls_init(&session, GNUTLS_CLIENT), "init");
	set_priorities(session);
	check(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials), "credentials");
	check(gnutls_server_name_set(session, GNUTLS_NAME_DNS, host(), strlen(host())), "name");
	prepare_verification(session);
	set_transport(session, transport);
	if (is_set("then", "give-up")) {
		give_up(session);
	} else {
		shake_hands(session, transport->fd);
		verify(session);
		go_on(session, transport->fd);
	}
	gnutls_deinit(session);
	close(transport->fd);
	free(transport);
}

static void *connect_often(void *unused)
{
	unsigned count = (unsigned)strtoul(setting("count", "1"), NULL, 10);

	(void)unused;
	while (count-- > 0)
		connect_once();
	return NULL;
}

static void begin_others(void)
{
	unsigned long count = strtoul(setting("others", "0"), NULL, 10);

	while (count-- > 0) {
		gnutls_session_t session;

		check(gnutls_init(&session, GNUTLS_CLIENT), "init");
	}
}

int main(int argc, char **argv)
{
	pthread_t thread[64];
	unsigned threads;
	const char *authority;

	if (argc < 2)
		return 2;
	port = port_argument(argv[1]);
	settings = (const char *const *)argv + 2;
	threads = (unsigned)strtoul(setting("threads", "1"), NULL, 10);
	authority = setting("authority", NULL);
	check(gnutls_certificate_allocate_credentials(&credentials), "credentials");
	if (authority)
		check(gnutls_certificate_set_x509_trust_file(credentials, authority,
							     GNUTLS_X509_FMT_PEM),
		      authority);
	if (is_set("verify", "callback"))
		gnutls_certificate_set_verify_function(credentials, verify_in_callback);
	begin_others();
	if (threads <= 1) {
		connect_often(NULL);
	} else {
		for (unsigned i = 0; i < threads && i < 64; i++) {
			if (pthread_create(&thread[i], NULL, connect_often, NULL) != 0)
				fail("pthread_create");
		}
		for (unsigned i = 0; i < threads && i < 64; i++)
			pthread_join(thread[i], NULL);
	}
	gnutls_certificate_free_credentials(credentials);
	return 0;
}
