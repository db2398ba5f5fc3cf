/*
 * A client that limits itself to old versions in one of many ways, and then
 * sends one mail, or fetches one page: HOST PORT
 * starttls|implicit|hasty|https CA-FILE WAY [persist]
 *
 * `hasty` is implicit, and does not wait for the greeting. It ends with 0 if the mail was taken.
 * With `persist` it does not take the handshake's failure for an answer and goes on, by every call
 * that there is.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define OPENSSL_SUPPRESS_DEPRECATED
#define DECLARE_DEPRECATED(declaration) declaration;
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define LIBSSL "libssl.so.1.1"
#else
#define LIBSSL "libssl.so.3"
#endif

struct way;

static struct {
	const char *ca_file;
	const struct way *way;
	bool https;
	int fd;
	SSL *ssl;
	BIO *chain;  /* reads and writes go over it; NULL: over ssl */
	BIO *inward; /* memory, with ways that do the I/O themselves */
	BIO *outward;
} client;

struct way {
	const char *name;
	const SSL_METHOD *(*method)(void); /* NULL: TLS_client_method */
	void (*limit_context)(SSL_CTX *context);
	void (*limit)(SSL *ssl);
	int (*handshake)(SSL *ssl); /* NULL: SSL_connect */
	SSL *(*make)(const SSL_METHOD *method);
};

static _Noreturn void fail(const char *what)
{
	unsigned long error = ERR_peek_last_error();

	printf("%s: %s\n", what, error ? ERR_reason_error_string(error) : "no error in the queue");
	exit(1);
}

/* ---- ways to set what is allowed ---- */

static void context_bounds(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(context, TLS1_VERSION);
}

static void bounds(SSL *ssl)
{
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	SSL_set_max_proto_version(ssl, TLS1_VERSION);
}

static void context_options(SSL_CTX *context)
{
	SSL_CTX_clear_options(context, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
	SSL_CTX_set_options(context, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
}

static void options(SSL *ssl)
{
	SSL_clear_options(ssl, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
	SSL_set_options(ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
}

/* Above the floor at first, so that a look at the context alone is fooled. */
static void strict_context(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

static void old_version(SSL_CTX *context)
{
	SSL_CTX_set_ssl_version(context, TLSv1_client_method());
}

static void configure(SSL_CONF_CTX *configuration)
{
	SSL_CONF_CTX_set_flags(configuration, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT);
	if (SSL_CONF_cmd(configuration, "MinProtocol", "TLSv1") != 2 ||
	    SSL_CONF_cmd(configuration, "MaxProtocol", "TLSv1") != 2)
		fail("SSL_CONF_cmd");
	SSL_CONF_CTX_finish(configuration);
	SSL_CONF_CTX_free(configuration);
}

static void context_command(SSL_CTX *context)
{
	SSL_CONF_CTX *configuration = SSL_CONF_CTX_new();

	SSL_CONF_CTX_set_ssl_ctx(configuration, context);
	configure(configuration);
}

static void command(SSL *ssl)
{
	SSL_CONF_CTX *configuration = SSL_CONF_CTX_new();

	SSL_CONF_CTX_set_ssl(configuration, ssl);
	configure(configuration);
}

static void context_configuration(SSL_CTX *context)
{
	if (SSL_CTX_config(context, "old_tls_only") != 1)
		fail("SSL_CTX_config");
}

static void configuration(SSL *ssl)
{
	if (SSL_config(ssl, "old_tls_only") != 1)
		fail("SSL_config");
}

static void set_bounds_in_callback(const SSL *ssl, int where, int result)
{
	(void)result;
	if (where == SSL_CB_HANDSHAKE_START)
		bounds((SSL *)(uintptr_t)ssl);
}

/* Called by the library within the first step. */
static void in_callback(SSL *ssl)
{
	SSL_set_info_callback(ssl, set_bounds_in_callback);
}

static void set_options_in_callback(const SSL *ssl, int where, int result)
{
	(void)result;
	if (where == SSL_CB_HANDSHAKE_START) {
		SSL_set_min_proto_version((SSL *)(uintptr_t)ssl, 0);
		options((SSL *)(uintptr_t)ssl);
	}
}

static void options_in_callback(SSL *ssl)
{
	SSL_set_info_callback(ssl, set_options_in_callback);
}

static void stricter(SSL *ssl)
{
	SSL_set_min_proto_version(ssl, TLS1_3_VERSION);
}

static void from_1_2(SSL *ssl)
{
	SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
	SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
}

/* The bare minimum of its time. */
static void old_cipher(SSL_CTX *context)
{
	context_bounds(context);
	SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0");
}

static void no_authority(SSL_CTX *context)
{
	context_bounds(context);
	client.ca_file = NULL;
}

/* ---- ways to make the object ---- */

static SSL_CTX *make_context(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new(method);

	if (!context)
		fail("SSL_CTX_new");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(context, 0);
	if (client.way->limit_context)
		client.way->limit_context(context);
	if (client.ca_file)
		SSL_CTX_load_verify_locations(context, client.ca_file, NULL);
	return context;
}

static SSL *make_and_free_context(const SSL_METHOD *method)
{
	SSL_CTX *context = make_context(method);
	SSL *ssl = SSL_new(context);

	SSL_CTX_free(context);
	return ssl;
}

/* Before 3.0 there is no such function. */
#if OPENSSL_VERSION_NUMBER < 0x30000000L
#define SSL_CTX_new_ex(library, properties, method) SSL_CTX_new(method)
#endif

static SSL *make_ex(const SSL_METHOD *method)
{
	SSL_CTX *context = SSL_CTX_new_ex(NULL, NULL, method);

	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	return SSL_new(context);
}

/* Made with one context, used with another. */
static SSL *make_and_switch(const SSL_METHOD *method)
{
	SSL *ssl = SSL_new(make_context(TLS_client_method()));

	SSL_set_SSL_CTX(ssl, make_context(method));
	return ssl;
}

static SSL *make_and_dup(const SSL_METHOD *method)
{
	SSL *ssl = SSL_new(make_context(method));

	bounds(ssl);
	return SSL_dup(ssl);
}

/* Into a function pointer, as dlsym(3) has it. */
static void libssl_symbol(const char *name, void *function)
{
	void *handle = dlopen(LIBSSL, RTLD_NOW | RTLD_LOCAL);
	void *symbol = handle ? dlsym(handle, name) : NULL;

	if (!symbol)
		fail(name);
	memcpy(function, &symbol, sizeof(symbol));
}

static SSL *make_by_hand(const SSL_METHOD *method)
{
	SSL_CTX *(*new_context)(const SSL_METHOD *) = NULL;
	SSL_CTX *context;

	libssl_symbol("SSL_CTX_new", &new_context);
	context = new_context(method);

	SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0");
	return SSL_new(context);
}

/* ---- ways to drive the handshake ---- */

static int by_hand(SSL *ssl)
{
	int (*connect_function)(SSL *) = NULL;

	libssl_symbol("SSL_connect", &connect_function);
	return connect_function(ssl);
}

static int do_handshake(SSL *ssl)
{
	SSL_set_connect_state(ssl);
	return SSL_do_handshake(ssl);
}

/* The first read or write drives it. */
static int later(SSL *ssl)
{
	SSL_set_connect_state(ssl);
	return 1;
}

static void set_blocking(int fd, bool blocking)
{
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static void await(int fd)
{
	struct pollfd readable = {.fd = fd, .events = POLLIN};

	poll(&readable, 1, -1);
}

/* Each step with the settings made anew before it. */
static int in_steps(SSL *ssl)
{
	int result;

	set_blocking(client.fd, false);
	for (;;) {
		result = SSL_connect(ssl);
		if (result == 1 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
			break;
		SSL_set_min_proto_version(ssl, TLS1_VERSION);
		SSL_clear_options(ssl, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
		await(client.fd);
	}
	set_blocking(client.fd, true);
	return result;
}

/* What OpenSSL has written into memory leaves. False if it can't. */
static bool pump_out(void)
{
	char bytes[20000];
	int length = BIO_read(client.outward, bytes, sizeof(bytes));

	return length <= 0 || send(client.fd, bytes, (size_t)length, MSG_NOSIGNAL) == length;
}

static bool pump_in(void)
{
	char bytes[20000];
	ssize_t length = recv(client.fd, bytes, sizeof(bytes), 0);

	return length > 0 && BIO_write(client.inward, bytes, (int)length) == length;
}

static int in_memory(SSL *ssl)
{
	int result;

	client.inward = BIO_new(BIO_s_mem());
	client.outward = BIO_new(BIO_s_mem());
	SSL_set_bio(ssl, client.inward, client.outward);
	SSL_set_connect_state(ssl);
	for (;;) {
		result = SSL_do_handshake(ssl);
		if (!pump_out())
			return -1;
		if (result == 1 || SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ)
			return result;
		if (!pump_in())
			return -1;
	}
}

/* Buffer, TLS and socket: the first flush drives the handshake. */
static int in_chain(SSL *ssl)
{
	BIO *tls = BIO_new(BIO_f_ssl());

	SSL_set_connect_state(ssl);
	BIO_set_ssl(tls, ssl, BIO_NOCLOSE);
	client.chain = BIO_push(BIO_new(BIO_f_buffer()), tls);
	return 1;
}

static int in_chain_with_handshake(SSL *ssl)
{
	in_chain(ssl);
	return BIO_do_handshake(client.chain) == 1 ? 1 : -1;
}

static const struct way ways[] = {
	{"context bounds", .limit_context = context_bounds},
	{"bounds", .limit = bounds},
	{"context options", .limit_context = context_options},
	{"options", .limit = options},
	{"strict context, bounds", .limit_context = strict_context, .limit = bounds},
	{"TLSv1_client_method", .method = TLSv1_client_method},
	{"TLSv1_method", .method = TLSv1_method},
	{"TLSv1_1_client_method", .method = TLSv1_1_client_method},
	{"TLSv1_1_method", .method = TLSv1_1_method},
	{"SSL_CTX_new_ex", .method = TLSv1_client_method, .make = make_ex},
	{"SSL_CTX_set_ssl_version", .limit_context = old_version},
	{"SSL_CONF_cmd on a context", .limit_context = context_command},
	{"SSL_CONF_cmd", .limit = command},
	{"SSL_CTX_config", .limit_context = context_configuration},
	{"SSL_config", .limit = configuration},
	{"freed context", .limit_context = context_bounds, .make = make_and_free_context},
	{"freed context, old method", .method = TLSv1_client_method, .make = make_and_free_context},
	{"SSL_dup", .make = make_and_dup},
	{"by hand", .method = TLSv1_client_method, .make = make_by_hand, .handshake = by_hand},
	{"SSL_do_handshake", .limit = bounds, .handshake = do_handshake},
	{"implicit handshake", .limit = bounds, .handshake = later},
	{"memory", .limit = bounds, .handshake = in_memory},
	{"memory, old method", .method = TLSv1_method, .handshake = in_memory},
	{"chain", .limit = bounds, .handshake = in_chain},
	{"chain, BIO_do_handshake", .limit = bounds, .handshake = in_chain_with_handshake},
	/* Not before the first step, and so not to be seen before it. */
	{"callback", .limit = in_callback},
	{"options in a callback", .limit = options_in_callback},
	{"memory, callback", .limit = in_callback, .handshake = in_memory},
	{"chain, callback", .limit = in_callback, .handshake = in_chain},
	/* Nothing below: these are the server's to limit. */
	{"nothing", .limit = NULL},
	{"in steps", .handshake = in_steps},
	{"SSL_set_SSL_CTX", .method = TLSv1_client_method, .make = make_and_switch},
	{"nothing, memory", .handshake = in_memory},
	{"nothing, implicit", .handshake = later},
	{"nothing, chain", .handshake = in_chain},
	{"stricter", .limit = stricter},
	{"1.2 only", .limit = from_1_2},
	{"old cipher", .limit_context = old_cipher},
	{"no authority", .limit_context = no_authority},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* ---- the dialogue ---- */

static bool write_all(const char *bytes)
{
	int length = (int)strlen(bytes);

	if (client.chain)
		return BIO_write(client.chain, bytes, length) == length &&
		       BIO_flush(client.chain) == 1;
	return SSL_write(client.ssl, bytes, length) == length && (!client.outward || pump_out());
}

static int read_some(char *buffer, int room)
{
	int length;

	if (client.chain)
		return BIO_gets(client.chain, buffer, room);
	for (;;) {
		length = SSL_read(client.ssl, buffer, room);
		if (length > 0 || !client.inward ||
		    SSL_get_error(client.ssl, length) != SSL_ERROR_WANT_READ)
			return length;
		if (!pump_out() || !pump_in())
			return -1;
	}
}

/* Over TLS: a whole reply of this code, or the end of the program. */
static void expect(const char *code)
{
	char reply[4096];
	size_t length = 0;

	for (;;) {
		int more = read_some(reply + length, (int)(sizeof(reply) - 1 - length));
		const char *last;

		if (more <= 0)
			fail("read");
		length += (size_t)more;
		reply[length] = '\0';
		if (reply[length - 1] != '\n')
			continue;
		reply[length - 1] = '\0';
		last = strrchr(reply, '\n');
		reply[length - 1] = '\n';
		last = last ? last + 1 : reply;
		if (strlen(last) < 4 || last[3] == '-')
			continue;
		if (strncmp(last, code, 3) != 0)
			fail(reply);
		return;
	}
}

static void say(const char *command, const char *code)
{
	if (!write_all(command))
		fail("write");
	expect(code);
}

static void say_in_clear(const char *command, const char *code)
{
	char reply[4096];
	ssize_t length;

	if (*command && write(client.fd, command, strlen(command)) < 0)
		fail("write in the clear");
	length = read(client.fd, reply, sizeof(reply) - 1);
	if (length < 3 || strncmp(reply, code, 3) != 0)
		fail("the dialogue in the clear");
}

static int connect_to(const char *host, const char *port)
{
	struct addrinfo *answers = NULL;
	struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
	int fd;

	if (getaddrinfo(host, port, &hints, &answers) != 0)
		fail("getaddrinfo");
	fd = socket(answers->ai_family, answers->ai_socktype, 0);
	if (fd < 0 || connect(fd, answers->ai_addr, answers->ai_addrlen) != 0)
		fail("connect");
	freeaddrinfo(answers);
	return fd;
}

static void send_mail(bool greeted, bool hasty)
{
	if (!greeted && !hasty)
		expect("220");
	say("EHLO client\r\n", hasty ? "220" : "250");
	if (hasty)
		expect("250");
	say("AUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n", "235");
	say("MAIL FROM:<a@example.com>\r\n", "250");
	say("RCPT TO:<b@example.com>\r\n", "250");
	say("DATA\r\n", "354");
	say("Subject: rehearsal\r\n\r\nhello\r\n.\r\n", "250");
	say("QUIT\r\n", "221");
}

static void fetch_page(void)
{
	char page[65536];

	if (!write_all("GET / HTTP/1.0\r\n\r\n") || read_some(page, sizeof(page)) <= 0)
		fail("page");
}

static int failures;

static void attempt(const char *call, bool succeeded)
{
	if (succeeded)
		printf("%s succeeded\n", call);
	else
		failures++;
}

/* Goes on by all means. */
static int persist(SSL *ssl)
{
	static char mail[] = "EHLO client\r\nAUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==\r\n"
			     "MAIL FROM:<a@example.com>\r\n";
	struct iovec part = {mail, strlen(mail)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	char buffer[100];
	size_t done;

	(void)signal(SIGPIPE, SIG_IGN);
	attempt("SSL_write", SSL_write(ssl, mail, (int)part.iov_len) > 0);
	attempt("SSL_write_ex", SSL_write_ex(ssl, mail, part.iov_len, &done) > 0);
	attempt("SSL_read", SSL_read(ssl, buffer, sizeof(buffer)) > 0);
	attempt("SSL_read_ex", SSL_read_ex(ssl, buffer, sizeof(buffer), &done) > 0);
	attempt("SSL_peek", SSL_peek(ssl, buffer, sizeof(buffer)) > 0);
	attempt("SSL_do_handshake", SSL_do_handshake(ssl) > 0);
	attempt("SSL_connect", SSL_connect(ssl) > 0);
	attempt("write", write(client.fd, mail, part.iov_len) > 0);
	attempt("send", send(client.fd, mail, part.iov_len, 0) > 0);
	attempt("sendto", sendto(client.fd, mail, part.iov_len, 0, NULL, 0) > 0);
	attempt("writev", writev(client.fd, &part, 1) > 0);
	attempt("sendmsg", sendmsg(client.fd, &message, 0) > 0);
	attempt("read", read(client.fd, buffer, sizeof(buffer)) > 0);
	attempt("write to a copy", write(dup(client.fd), mail, part.iov_len) > 0);
	SSL_clear(ssl);
	attempt("SSL_connect after SSL_clear", SSL_connect(ssl) > 0);
	attempt("SSL_write after SSL_clear", SSL_write(ssl, mail, (int)part.iov_len) > 0);
	printf("%d calls failed\n", failures);
	return 1;
}

static unsigned errors_in_queue(void)
{
	unsigned count = 0;

	while (ERR_get_error())
		count++;
	return count;
}

int main(int argc, char **argv)
{
	const SSL_METHOD *method;
	bool starttls = argc > 3 && strcmp(argv[3], "starttls") == 0;
	int result;

	if (argc < 6)
		return 2;
	client.ca_file = argv[4];
	client.https = strcmp(argv[3], "https") == 0;
	for (size_t i = 0; i < WAYS && !client.way; i++) {
		if (strcmp(ways[i].name, argv[5]) == 0)
			client.way = &ways[i];
	}
	if (!client.way)
		return 2;
	method = client.way->method ? client.way->method() : TLS_client_method();
	client.ssl = client.way->make ? client.way->make(method) : SSL_new(make_context(method));
	if (client.way->limit)
		client.way->limit(client.ssl);
	client.fd = connect_to(argv[1], argv[2]);
	if (starttls) {
		say_in_clear("", "220");
		say_in_clear("EHLO client\r\n", "250");
		say_in_clear("STARTTLS\r\n", "220");
	}
	SSL_set_fd(client.ssl, client.fd);
	SSL_set_tlsext_host_name(client.ssl, argv[1]);
	ERR_clear_error();
	result =
		client.way->handshake ? client.way->handshake(client.ssl) : SSL_connect(client.ssl);
	if (result != 1) {
		unsigned long error = ERR_peek_last_error();

		printf("SSL_get_error %d, %s\n", SSL_get_error(client.ssl, result),
		       error ? ERR_reason_error_string(error) : "no error in the queue");
		printf("%u errors\n", errors_in_queue());
		return argc > 6 ? persist(client.ssl) : 1;
	}
	if (client.https)
		fetch_page();
	else
		send_mail(starttls, strcmp(argv[3], "hasty") == 0);
	printf("%s, minimum %lx, maximum %lx\n", SSL_get_version(client.ssl),
	       SSL_get_min_proto_version(client.ssl), SSL_get_max_proto_version(client.ssl));
	return 0;
}
