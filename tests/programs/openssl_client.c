/*
 * A mail client over OpenSSL that checks the server's certificate as it is told:
 *   openssl_client PORT HOW AUTHORITY-FILE
 * HOW is one of the names in `ways`. Exits with 1, and words on stderr, if it
 * does not like what it finds.
 */
#include <arpa/inet.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/programs/client.h"

#define HOST "localhost"

static const char *how;

static bool is(const char *name)
{
	return strcmp(how, name) == 0;
}

static void refuse(const char *why)
{
	(void)fprintf(stderr, "certificate: %s\n", why);
	exit(1);
}

/* ---- what is told to the library ---- */

static int compare_in_callback(int ok, X509_STORE_CTX *store)
{
	if (!ok || X509_STORE_CTX_get_error_depth(store) > 0)
		return ok;
	return X509_check_host(X509_STORE_CTX_get_current_cert(store), HOST, 0, 0, NULL) == 1;
}

static void prepare(SSL *ssl)
{
	const bool lenient = is("none") || is("result") || is("result-host");

	SSL_set_verify(ssl, lenient ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
		       is("callback") ? compare_in_callback : NULL);
	if (is("set1-host"))
		SSL_set1_host(ssl, HOST);
	else if (is("param-host"))
		X509_VERIFY_PARAM_set1_host(SSL_get0_param(ssl), HOST, 0);
	else if (is("param-ip"))
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
}

/* ---- what it does by itself after the handshake ---- */

static bool is_named_by_hand(X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS &&
		    strcmp((const char *)ASN1_STRING_get0_data(name->d.dNSName), HOST) == 0)
			found = true;
	}
	GENERAL_NAMES_free(names);
	return found;
}

static void look(SSL *ssl)
{
	static const unsigned char loopback[] = {127, 0, 0, 1};
	X509 *certificate = SSL_get_peer_certificate(ssl);
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned length;
	bool matches = true;

	if (!certificate)
		refuse("there is none");
	if ((is("result") || is("result-host")) && SSL_get_verify_result(ssl) != X509_V_OK)
		refuse(X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	if (is("check-host") || is("result-host"))
		matches = X509_check_host(certificate, HOST, 0, 0, NULL) == 1;
	else if (is("check-ip"))
		matches = X509_check_ip(certificate, loopback, sizeof(loopback), 0) == 1;
	else if (is("check-ip-asc"))
		matches = X509_check_ip_asc(certificate, "127.0.0.1", 0) == 1;
	else if (is("names"))
		matches = is_named_by_hand(certificate);
	else if (is("digest"))
		matches = X509_digest(certificate, EVP_sha256(), digest, &length) == 1;
	else if (is("other-extension"))
		matches = X509_get_ext(certificate,
				       X509_get_ext_by_NID(certificate, NID_subject_key_identifier,
							   -1)) != NULL;
	if (!matches)
		refuse("it is for another name");
	X509_free(certificate);
}

int main(int argc, char **argv)
{
	char answer[1024];
	SSL_CTX *context;
	SSL *ssl;

	if (argc != 4)
		return 2;
	how = argv[2];
	context = SSL_CTX_new(TLS_client_method());
	if (!context || SSL_CTX_load_verify_locations(context, argv[3], NULL) != 1)
		return 2;
	ssl = SSL_new(context);
	if (!ssl)
		return 2;
	prepare(ssl);
	SSL_set_fd(ssl, dial(port_argument(argv[1])));
	if (SSL_connect(ssl) != 1)
		refuse(X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
	look(ssl);
	if (SSL_read(ssl, answer, sizeof(answer)) <= 0 || SSL_write(ssl, "QUIT\r\n", 6) != 6)
		return 1;
	while (SSL_read(ssl, answer, sizeof(answer)) > 0)
		;
	SSL_free(ssl);
	SSL_CTX_free(context);
	return 0;
}
