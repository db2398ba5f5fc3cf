/*
 * Many handshakes, however they can be driven:
 *   handshakes PORT HOW THREADS COUNT PROCESSES
 * HOW is the OpenSSL call that drives them, or `memory` (SSL_do_handshake over
 * two memory BIOs). Each of PROCESSES has THREADS, each of which makes COUNT
 * handshakes, one after the other, non-blocking, with one SSL object that is
 * cleared and used again. Each connection reads the greeting and says QUIT.
 */
#include <pthread.h>
#include <sys/wait.h>

#include "tests/programs/client.h"

static const char quit[] = "QUIT\r\n";

/* One connection. */
struct session {
	const struct openssl *openssl;
	SSL *ssl;
	BIO *chain; /* with the SSL in it; NULL if it is not driven by BIO calls */
	int fd;
	bool memory; /* the SSL's BIOs are memory, carried over `fd` by hand */
	BIO *from_peer;
	BIO *to_peer;
	char byte; /* for calls that must read something */
};

/* Each makes one call; true if it succeeded. */

static bool by_connect(struct session *session)
{
	return session->openssl->SSL_connect(session->ssl) == 1;
}

static bool by_do_handshake(struct session *session)
{
	return session->openssl->SSL_do_handshake(session->ssl) == 1;
}

static bool by_read(struct session *session)
{
	return session->openssl->SSL_read(session->ssl, &session->byte, 1) == 1;
}

static bool by_read_ex(struct session *session)
{
	size_t count;

	return session->openssl->SSL_read_ex(session->ssl, &session->byte, 1, &count) == 1;
}

static bool by_peek(struct session *session)
{
	return session->openssl->SSL_peek(session->ssl, &session->byte, 1) == 1;
}

static bool by_peek_ex(struct session *session)
{
	size_t count;

	return session->openssl->SSL_peek_ex(session->ssl, &session->byte, 1, &count) == 1;
}

static bool by_write(struct session *session)
{
	return session->openssl->SSL_write(session->ssl, "NOOP\r\n", 6) == 6;
}

static bool by_write_ex(struct session *session)
{
	size_t count;

	return session->openssl->SSL_write_ex(session->ssl, "NOOP\r\n", 6, &count) == 1;
}

static bool by_bio_do_handshake(struct session *session)
{
	return session->openssl->BIO_ctrl(session->chain, BIO_C_DO_STATE_MACHINE, 0, NULL) == 1;
}

static bool by_bio_read(struct session *session)
{
	return session->openssl->BIO_read(session->chain, &session->byte, 1) == 1;
}

static bool by_bio_read_ex(struct session *session)
{
	size_t count;

	return session->openssl->BIO_read_ex(session->chain, &session->byte, 1, &count) == 1;
}

static bool by_bio_write(struct session *session)
{
	return session->openssl->BIO_write(session->chain, "NOOP\r\n", 6) == 6;
}

static bool by_bio_write_ex(struct session *session)
{
	size_t count;

	return session->openssl->BIO_write_ex(session->chain, "NOOP\r\n", 6, &count) == 1;
}

static bool by_bio_puts(struct session *session)
{
	return session->openssl->BIO_puts(session->chain, "NOOP\r\n") == 6;
}

static const struct way {
	const char *name;
	bool (*drive)(struct session *session);
	bool chain;
	bool memory;
} ways[] = {
	{"SSL_connect", by_connect, false, false},
	{"SSL_do_handshake", by_do_handshake, false, false},
	{"SSL_read", by_read, false, false},
	{"SSL_read_ex", by_read_ex, false, false},
	{"SSL_peek", by_peek, false, false},
	{"SSL_peek_ex", by_peek_ex, false, false},
	{"SSL_write", by_write, false, false},
	{"SSL_write_ex", by_write_ex, false, false},
	{"BIO_do_handshake", by_bio_do_handshake, true, false},
	{"BIO_read", by_bio_read, true, false},
	{"BIO_read_ex", by_bio_read_ex, true, false},
	{"BIO_write", by_bio_write, true, false},
	{"BIO_write_ex", by_bio_write_ex, true, false},
	{"BIO_puts", by_bio_puts, true, false},
	{"memory", by_do_handshake, false, true},
};

/* What the SSL has written, to the peer. */
static void carry_out(const struct session *session)
{
	char bytes[4096];
	int count;

	while ((count = session->openssl->BIO_read(session->to_peer, bytes, sizeof(bytes))) > 0) {
		if (send(session->fd, bytes, (size_t)count, 0) != count)
			fail("send");
	}
}

/* What the peer has sent, to the SSL; false at the end. */
static bool carry_in(const struct session *session)
{
	char bytes[4096];

	await(session->fd, POLLIN);
	ssize_t count = recv(session->fd, bytes, sizeof(bytes), 0);
	if (count > 0)
		session->openssl->BIO_write(session->from_peer, bytes, (int)count);
	return count > 0;
}

/* After a call that failed: waits until it can go on; false if it can't. */
static bool can_go_on(const struct session *session)
{
	int error = session->openssl->SSL_get_error(session->ssl, -1);

	if (session->memory) {
		carry_out(session);
		return error == SSL_ERROR_WANT_READ && carry_in(session);
	}
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return false;
	await(session->fd, error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT);
	return true;
}

static void drive(struct session *session, bool (*once)(struct session *session))
{
	session->openssl->ERR_clear_error();
	while (!once(session)) {
		if (!can_go_on(session)) {
			(void)fprintf(stderr, "a handshake failed\n");
			exit(1);
		}
	}
	if (session->memory)
		carry_out(session);
}

/* The rest of the conversation: any bytes until the server closes. */
static void take_leave(struct session *session)
{
	char bytes[1024];

	if (session->openssl->SSL_write(session->ssl, quit, (int)strlen(quit)) <= 0)
		fail("QUIT");
	if (session->memory)
		carry_out(session);
	do {
		while (session->openssl->SSL_read(session->ssl, bytes, sizeof(bytes)) > 0)
			;
	} while (can_go_on(session));
}

static void use_memory(struct session *session)
{
	const struct openssl *openssl = session->openssl;

	session->memory = true;
	session->from_peer = openssl->BIO_new(openssl->BIO_s_mem());
	session->to_peer = openssl->BIO_new(openssl->BIO_s_mem());
	openssl->SSL_set_bio(session->ssl, session->from_peer, session->to_peer);
	/* An empty BIO means "not yet", not "the end". */
	openssl->BIO_ctrl(session->from_peer, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
}

static void converse(const struct openssl *openssl, SSL *ssl, const struct way *way, unsigned port)
{
	struct session session = {.openssl = openssl, .ssl = ssl, .fd = dial(port)};

	if (!openssl->SSL_clear(ssl))
		fail("SSL_clear");
	set_nonblocking(session.fd);
	openssl->SSL_set_connect_state(ssl);
	if (way->memory)
		use_memory(&session);
	else
		openssl->SSL_set_fd(ssl, session.fd);
	if (way->chain) {
		session.chain = openssl->BIO_new(openssl->BIO_f_ssl());
		openssl->BIO_ctrl(session.chain, BIO_C_SET_SSL, BIO_NOCLOSE, ssl);
	}
	drive(&session, way->drive);
	take_leave(&session);
	if (session.chain != NULL)
		openssl->BIO_free_all(session.chain);
	close(session.fd);
}

/* One thread's work. */
struct work {
	const struct openssl *openssl;
	const struct way *way;
	SSL_CTX *context;
	unsigned port;
	unsigned long count;
};

static void *do_work(void *argument)
{
	const struct work *work = argument;
	SSL *ssl = work->openssl->SSL_new(work->context);

	for (unsigned long i = 0; i < work->count; i++)
		converse(work->openssl, ssl, work->way, work->port);
	work->openssl->SSL_free(ssl);
	return NULL;
}

static const struct way *find_way(const char *name)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(ways[i].name, name) == 0)
			return &ways[i];
	}
	(void)fprintf(stderr, "no way of this name: %s\n", name);
	exit(2);
}

static int run_threads(struct work *work, unsigned long threads)
{
	pthread_t thread[64];

	for (unsigned long i = 0; i < threads; i++) {
		if (pthread_create(&thread[i], NULL, do_work, work) != 0)
			fail("pthread_create");
	}
	for (unsigned long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	struct openssl openssl;
	int failures = 0;
	int status;

	if (argc != 6)
		return 2;
	load_openssl(&openssl);
	struct work work = {.openssl = &openssl,
			    .way = find_way(argv[2]),
			    .context = openssl.SSL_CTX_new(openssl.TLS_client_method()),
			    .port = port_argument(argv[1]),
			    .count = strtoul(argv[4], NULL, 10)};
	unsigned long threads = strtoul(argv[3], NULL, 10);
	unsigned long processes = strtoul(argv[5], NULL, 10);

	if (processes == 1) {
		status = run_threads(&work, threads);
		openssl.SSL_CTX_free(work.context);
		return status;
	}
	for (unsigned long i = 0; i < processes; i++) {
		if (fork() == 0)
			return run_threads(&work, threads);
	}
	while (wait(&status) > 0)
		failures += status != 0;
	return failures != 0;
}
