/*
 * The sink's TLS. It knows OpenSSL, and nothing of SMTP.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "tools/base/options.h"
#include "tools/sink/sink_certificate.h"
#include "tools/sink/sink_tls.h"
#include "tools/sink/openssl_3.h"

#define RECORD_HEADER_SIZE 5

static const char *openssl_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : "no reason given";
}

static void add_offered(struct sink_offer *offer, sink_version version)
{
	unsigned place = offer->count++;

	for (; place > 0 && offer->versions[place - 1] > version; place--)
		offer->versions[place] = offer->versions[place - 1];
	offer->versions[place] = version;
}

/* supported_versions: a length byte, then two bytes for each (RFC 8446, 4.2.1). */
static int note_offer(SSL *ssl, int *alert, void *unused)
{
	const unsigned char *extension = NULL;
	size_t length = 0;
	struct sink_offer *offer = SSL_get_app_data(ssl);

	(void)alert;
	(void)unused;
	/* A second ClientHello after a HelloRetryRequest says the same again. */
	offer->count = 0;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_supported_versions, &extension, &length) !=
	    1)
		return SSL_CLIENT_HELLO_SUCCESS;
	for (size_t i = 1; i + 1 < length && offer->count < SINK_OFFERED_MAX; i += 2) {
		sink_version version = extension[i] << 8 | extension[i + 1];
		if (sink_version_name(version) != NULL)
			add_offered(offer, version);
	}
	return SSL_CLIENT_HELLO_SUCCESS;
}

static bool use_certificate(SSL_CTX *context, const struct sink_settings *settings)
{
	if (settings->certificate == NULL) {
		if (sink_certificate_make(context, settings->names, settings->names_count))
			return true;
		complain("a certificate could not be made (%s); give one with --cert and --key",
			 openssl_reason());
		return false;
	}
	if (SSL_CTX_use_certificate_chain_file(context, settings->certificate) != 1) {
		complain("the certificate %s could not be used (%s); --cert takes a PEM file",
			 settings->certificate, openssl_reason());
		return false;
	}
	if (SSL_CTX_use_PrivateKey_file(context, settings->key, SSL_FILETYPE_PEM) != 1) {
		complain("the key %s could not be used (%s); --key takes the PEM file of the key "
			 "that the certificate is for",
			 settings->key, openssl_reason());
		return false;
	}
	return true;
}

static bool write_certificate(const SSL_CTX *context, const struct sink_settings *settings)
{
	if (settings->certificate_out == NULL ||
	    sink_certificate_write(context, settings->certificate_out))
		return true;
	complain("the certificate could not be written to %s (%s); give --cert-out a file that can",
		 settings->certificate_out, strerror(errno));
	return false;
}

static bool set_versions(SSL_CTX *context, const struct sink_settings *settings)
{
	/* OpenSSL 3 has TLS 1.0 and 1.1 at security level 0 alone: they sign with SHA-1. */
	if (settings->min < TLS1_2_VERSION &&
	    SSL_CTX_set_cipher_list(context, "DEFAULT:@SECLEVEL=0") != 1)
		return false;
	return SSL_CTX_set_min_proto_version(context, settings->min) == 1 &&
	       SSL_CTX_set_max_proto_version(context, settings->max) == 1;
}

static bool set_sessions(SSL_CTX *context, bool tickets)
{
	static const unsigned char name[] = "tlswitness sink";

	if (!tickets) {
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
		SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
		return SSL_CTX_set_num_tickets(context, 0) == 1;
	}
	return SSL_CTX_set_session_id_context(context, name, sizeof(name) - 1) == 1;
}

SSL_CTX *sink_tls_context(const struct sink_settings *settings)
{
	/* openssl.cnf may have a MinProtocol or a CipherString: the sink does what it was told. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
		complain("OpenSSL does not start (%s)", openssl_reason());
		return NULL;
	}
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (context == NULL || !set_versions(context, settings) ||
	    !set_sessions(context, settings->tickets)) {
		complain("OpenSSL can't serve these versions (%s)", openssl_reason());
		SSL_CTX_free(context);
		return NULL;
	}
	/* A client that leaves without close_notify has just left. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_client_hello_cb(context, note_offer, NULL);
	if (!use_certificate(context, settings) || !write_certificate(context, settings)) {
		SSL_CTX_free(context);
		return NULL;
	}
	return context;
}

/*
 * The middle box, called before and after each operation of the socket's BIO.
 * The server's first record is its ServerHello (OpenSSL gives each handshake
 * message a record of its own); a HelloRetryRequest, where there is one, is a
 * ServerHello too (RFC 8446, 4.1.4). Half of it goes out, and then the
 * connection ends.
 */
static long cut_server_hello_in_two(BIO *bio, int operation, const char *bytes, size_t length,
				    int argi, long argl, int result, size_t *processed)
{
	int fd = -1;

	(void)argi;
	(void)argl;
	(void)processed;
	if (operation != BIO_CB_WRITE || length < RECORD_HEADER_SIZE)
		return result;
	size_t record = ((size_t)(unsigned char)bytes[3] << 8 | (unsigned char)bytes[4]) +
			RECORD_HEADER_SIZE;
	BIO_get_fd(bio, &fd);
	/* If this fails, the client has gone, and there is nothing left to cut. */
	(void)send(fd, bytes, (record < length ? record : length) / 2, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	return -1;
}

SSL *sink_tls_new(SSL_CTX *context, int fd, sink_version given, bool cut_server_hello,
		  struct sink_offer *offer)
{
	SSL *ssl = SSL_new(context);
	if (ssl == NULL)
		return NULL;
	SSL_set_app_data(ssl, offer);
	if (SSL_set_fd(ssl, fd) != 1 ||
	    (given != 0 && (SSL_set_min_proto_version(ssl, given) != 1 ||
			    SSL_set_max_proto_version(ssl, given) != 1))) {
		SSL_free(ssl);
		return NULL;
	}
	if (cut_server_hello)
		BIO_set_callback_ex(SSL_get_wbio(ssl), cut_server_hello_in_two);
	return ssl;
}

sink_version sink_tls_any_version(const struct sink_settings *settings)
{
	unsigned char dice = 0;
	int versions = settings->max - settings->min + 1;

	RAND_bytes(&dice, sizeof(dice));
	return settings->min + dice % versions;
}
