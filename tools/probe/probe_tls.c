/*
 * OpenSSL as a client over memory. Knows no socket and no SMTP.
 */
#include "tools/probe/probe_tls.h"

#include <limits.h>

#include <openssl/bio.h>
#include <openssl/err.h>

#include "tools/base/options.h"
#include "tools/sink/openssl_3.h"

#define TLS_1_3_SUITES                                                                \
	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:" \
	"TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"

const char *probe_tls_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	return reason != NULL ? reason : "no reason given";
}

bool probe_tls_alert(uint8_t *alert)
{
	int reason = ERR_GET_REASON(ERR_peek_last_error());

	if (reason < SSL_AD_REASON_OFFSET || reason > SSL_AD_REASON_OFFSET + UINT8_MAX)
		return false;
	*alert = (uint8_t)(reason - SSL_AD_REASON_OFFSET);
	return true;
}

SSL_CTX *probe_tls_context(void)
{
	/* openssl.cnf may have a MinProtocol or a CipherString. */
	if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
		complain("OpenSSL does not start (%s)", probe_tls_reason());
		return NULL;
	}
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	if (context == NULL || SSL_CTX_set_cipher_list(context, "ALL:!aNULL:@SECLEVEL=0") != 1 ||
	    SSL_CTX_set_ciphersuites(context, TLS_1_3_SUITES) != 1) {
		complain("OpenSSL does not start (%s)", probe_tls_reason());
		SSL_CTX_free(context);
		return NULL;
	}
	SSL_CTX_set_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_IGNORE_UNEXPECTED_EOF |
					     SSL_OP_TLSEXT_PADDING | SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* The chain is judged afterwards, against more than one promise. */
	SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	return context;
}

SSL *probe_tls_new(SSL_CTX *context, uint16_t version, const char *server_name)
{
	SSL *ssl = SSL_new(context);
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = BIO_new(BIO_s_mem());

	if (ssl == NULL || in == NULL || out == NULL)
		goto failed;
	/* An empty BIO means "later", not the end. */
	BIO_set_mem_eof_return(in, -1);
	SSL_set_bio(ssl, in, out);
	in = NULL;
	out = NULL;
	if (SSL_set_min_proto_version(ssl, version) != 1 ||
	    SSL_set_max_proto_version(ssl, version) != 1 ||
	    (server_name != NULL && SSL_set_tlsext_host_name(ssl, server_name) != 1))
		goto failed;
	SSL_set_connect_state(ssl);
	return ssl;
failed:
	BIO_free(in);
	BIO_free(out);
	SSL_free(ssl);
	return NULL;
}

enum probe_tls_step probe_tls_feed(SSL *ssl, const uint8_t *bytes, size_t length)
{
	if (length > INT_MAX ||
	    (length > 0 && BIO_write(SSL_get_rbio(ssl), bytes, (int)length) != (int)length))
		return PROBE_TLS_FAILED;
	ERR_clear_error();
	int result = SSL_do_handshake(ssl);
	if (result == 1)
		return PROBE_TLS_DONE;
	return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? PROBE_TLS_GOES_ON
								 : PROBE_TLS_FAILED;
}

size_t probe_tls_take(SSL *ssl, uint8_t *bytes, size_t size)
{
	int taken = BIO_read(SSL_get_wbio(ssl), bytes, size < INT_MAX ? (int)size : INT_MAX);

	return taken > 0 ? (size_t)taken : 0;
}
