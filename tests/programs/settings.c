/*
 * Makes each setting of a table, and a mail connection after them:
 *   settings PORT TIMES [by-hand]
 * PORT 0: no connection. `by-hand` finds the setting's functions with dlsym(3).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#define DECLARE_DEPRECATED(declaration) declaration;
#include "tests/programs/client.h"

static SSL_CTX *(*new_context)(const SSL_METHOD *) = SSL_CTX_new;
static int (*set_version)(SSL_CTX *, const SSL_METHOD *) = SSL_CTX_set_ssl_version;
static int (*set_method)(SSL *, const SSL_METHOD *) = SSL_set_ssl_method;
static long (*context_ctrl)(SSL_CTX *, int, long, void *) = SSL_CTX_ctrl;
static long (*ctrl)(SSL *, int, long, void *) = SSL_ctrl;
static uint64_t (*context_options)(SSL_CTX *, uint64_t) = SSL_CTX_set_options;
static uint64_t (*options)(SSL *, uint64_t) = SSL_set_options;
static uint64_t (*context_clear)(SSL_CTX *, uint64_t) = SSL_CTX_clear_options;
static uint64_t (*clear)(SSL *, uint64_t) = SSL_clear_options;
static void (*context_level)(SSL_CTX *, int) = SSL_CTX_set_security_level;
static void (*level)(SSL *, int) = SSL_set_security_level;
static int (*context_ciphers)(SSL_CTX *, const char *) = SSL_CTX_set_cipher_list;
static int (*ciphers)(SSL *, const char *) = SSL_set_cipher_list;
static int (*command)(SSL_CONF_CTX *, const char *, const char *) = SSL_CONF_cmd;

/* Into a function pointer, as dlsym(3) has it. */
static void find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	if (symbol == NULL)
		fail(name);
	memcpy(function, &symbol, sizeof(symbol));
}

static void find_all(void)
{
	void *library = dlopen(LIBSSL, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		fail(LIBSSL);
	find(library, "SSL_CTX_new", &new_context);
	find(library, "SSL_CTX_set_ssl_version", &set_version);
	find(library, "SSL_set_ssl_method", &set_method);
	find(library, "SSL_CTX_ctrl", &context_ctrl);
	find(library, "SSL_ctrl", &ctrl);
	find(library, "SSL_CTX_set_options", &context_options);
	find(library, "SSL_set_options", &options);
	find(library, "SSL_CTX_clear_options", &context_clear);
	find(library, "SSL_clear_options", &clear);
	find(library, "SSL_CTX_set_security_level", &context_level);
	find(library, "SSL_set_security_level", &level);
	find(library, "SSL_CTX_set_cipher_list", &context_ciphers);
	find(library, "SSL_set_cipher_list", &ciphers);
	find(library, "SSL_CONF_cmd", &command);
}

static void set_bounds(SSL_CTX *context, SSL *ssl)
{
	/* First to what it is already, where no configuration says otherwise. */
	static const int versions[] = {0, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		context_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, versions[i], NULL);
		ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, versions[i], NULL);
		context_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, versions[i], NULL);
		ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, versions[i], NULL);
	}
	/* Refused, and so not made. */
	context_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, 0x0299, NULL);
	context_ctrl(context, SSL_CTRL_MODE, SSL_MODE_AUTO_RETRY, NULL);
}

static void set_options(SSL_CTX *context, SSL *ssl)
{
	context_options(context, SSL_OP_NO_SSLv3 | SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
	options(ssl, SSL_OP_NO_TLSv1);
	context_options(context, SSL_OP_NO_TLSv1_2 | SSL_OP_ALL);
	options(ssl, SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1);
	context_clear(context, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_2);
	context_clear(context, SSL_OP_NO_TLSv1);
	clear(ssl, SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_3);
}

static void set_strength(SSL_CTX *context, SSL *ssl)
{
	context_level(context, 1);
	context_level(context, 0);
	level(ssl, 2);
	level(ssl, 0);
	context_ciphers(context, "DEFAULT");
	context_ciphers(context, "DEFAULT:@SECLEVEL=0");
	ciphers(ssl, "HIGH:@SECLEVEL=0");
	ciphers(ssl, "NO-SUCH-CIPHER:@SECLEVEL=0");
	context_ciphers(context, "DEFAULT:@SECLEVEL=1");
}

static const char *const commands[][2] = {
	{"MinProtocol", "TLSv1"},
	{"minprotocol", "None"},
	{"MinProtocol", "TLSv1.2"},
	{"MinProtocol", "TLSv9"},
	{"MaxProtocol", "TLSv1.1"},
	{"MaxProtocol", "TLSv1.3"},
	{"MaxProtocol", "None"},
	{"Protocol", "-TLSv1,-TLSv1.1"},
	{"Protocol", "-TLSv1, +TLSv1.2"},
	{"Protocol", "ALL,-TLSv1,-TLSv1.1"},
	{"Protocol", "TLSv1.1"},
	{"Protocol", "ALL,-TLSv1.3"},
	{"Protocol", "-ALL,TLSv1.2"},
	{"CipherString", "DEFAULT:@SECLEVEL=0"},
	{"CipherString", "DEFAULT"},
	{"Protocol", "\t\v\r\nTLSv1\n"},
	{"Protocol", "\033[31mTLSv1"},
	{"Protocol", " TLSv1, TLSv1.2,  TLSv1.1, TLSv1.2,  TLSv1.1, TLSv1.2,  TLSv1.1, TLSv1.2,"
		     "  TLSv1.1, TLSv1.2"},
	{"Protocol", "TLSv1,\xff\xfe"},
	{"-no_tls1_3", NULL},
	{NULL, NULL},
};

static void run_commands(SSL_CTX *context, unsigned flags)
{
	SSL_CONF_CTX *configuration = SSL_CONF_CTX_new();

	SSL_CONF_CTX_set_flags(configuration, flags | SSL_CONF_FLAG_CLIENT);
	SSL_CONF_CTX_set_ssl_ctx(configuration, context);
	for (size_t i = 0; commands[i][0] || commands[i][1]; i++)
		command(configuration, commands[i][0], commands[i][1]);
	command(configuration, NULL, NULL);
	SSL_CONF_CTX_free(configuration);
}

static void set_all(void)
{
	SSL_CTX *context = new_context(TLS_client_method());
	SSL *ssl = SSL_new(context);

	SSL_CTX_free(new_context(TLSv1_1_client_method()));
	SSL_CTX_free(new_context(TLSv1_2_client_method()));
	set_bounds(context, ssl);
	set_options(context, ssl);
	set_strength(context, ssl);
	run_commands(context, SSL_CONF_FLAG_FILE);
	run_commands(context, SSL_CONF_FLAG_CMDLINE);
	set_version(context, TLSv1_client_method());
	set_method(ssl, TLSv1_1_client_method());
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static void send_mail(unsigned port)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);

	SSL_set_fd(ssl, dial(port));
	if (SSL_connect(ssl) != 1)
		fail("SSL_connect");
	SSL_write(ssl, "QUIT\r\n", 6);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	if (argc > 3)
		find_all();
	for (unsigned i = 0; i < port_argument(argv[2]); i++)
		set_all();
	if (port_argument(argv[1]) > 0)
		send_mail(port_argument(argv[1]));
	return 0;
}
