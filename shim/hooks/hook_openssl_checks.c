/*
 * Hooks of libssl and libcrypto with which an application checks the server's
 * certificate by itself.
 */
#include "shim/openssl/openssl_checks.h"
#include "shim/openssl/openssl_library.h"
#include "shim/openssl/openssl_witness.h"

#define CALLER __builtin_return_address(0)

long SSL_get_verify_result(const SSL *ssl)
{
	const struct ssl_library *library = openssl_library(CALLER);
	long result;

	if (!library)
		return X509_V_ERR_UNSPECIFIED;
	openssl_asked(library, (SSL *)ssl);
	result = library->SSL_get_verify_result(ssl);
	openssl_checks_result((SSL *)ssl, result);
	return result;
}

int X509_check_host(X509 *certificate, const char *name, size_t length, unsigned int flags,
		    char **peer_name)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library || !library->crypto.X509_check_host)
		return -1;
	result = library->crypto.X509_check_host(certificate, name, length, flags, peer_name);
	if (result >= 0)
		openssl_checks_name(library, certificate, result == 1);
	return result;
}

int X509_check_ip(X509 *certificate, const unsigned char *address, size_t length,
		  unsigned int flags)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library || !library->crypto.X509_check_ip)
		return -1;
	result = library->crypto.X509_check_ip(certificate, address, length, flags);
	if (result >= 0)
		openssl_checks_name(library, certificate, result == 1);
	return result;
}

int X509_check_ip_asc(X509 *certificate, const char *address, unsigned int flags)
{
	const struct ssl_library *library = openssl_library(CALLER);
	int result;

	if (!library || !library->crypto.X509_check_ip_asc)
		return -1;
	result = library->crypto.X509_check_ip_asc(certificate, address, flags);
	if (result >= 0)
		openssl_checks_name(library, certificate, result == 1);
	return result;
}

/* ---- the names, to be compared by the application ---- */

void *X509_get_ext_d2i(const X509 *certificate, int type, int *critical, int *index)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library || !library->crypto.X509_get_ext_d2i)
		return NULL;
	if (type == NID_subject_alt_name)
		openssl_checks_names_read(library, certificate);
	return library->crypto.X509_get_ext_d2i(certificate, type, critical, index);
}

int X509_get_ext_by_NID(const X509 *certificate, int type, int after)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library || !library->crypto.X509_get_ext_by_NID)
		return -1;
	if (type == NID_subject_alt_name)
		openssl_checks_names_read(library, certificate);
	return library->crypto.X509_get_ext_by_NID(certificate, type, after);
}

/* One extension of several: who takes all of them, as Ruby does, has the names too. */
X509_EXTENSION *X509_get_ext(const X509 *certificate, int index)
{
	const struct ssl_library *library = openssl_library(CALLER);
	const struct crypto_library *crypto = library ? &library->crypto : NULL;
	X509_EXTENSION *extension;

	if (!crypto || !crypto->X509_get_ext)
		return NULL;
	extension = crypto->X509_get_ext(certificate, index);
	if (extension && crypto->X509_EXTENSION_get_object && crypto->OBJ_obj2nid &&
	    crypto->OBJ_obj2nid(crypto->X509_EXTENSION_get_object(extension)) ==
		    NID_subject_alt_name)
		openssl_checks_names_read(library, certificate);
	return extension;
}

int X509_digest(const X509 *certificate, const EVP_MD *type, unsigned char *digest,
		unsigned int *length)
{
	const struct ssl_library *library = openssl_library(CALLER);

	if (!library || !library->crypto.X509_digest)
		return 0;
	openssl_checks_fingerprint(library, certificate);
	return library->crypto.X509_digest(certificate, type, digest, length);
}
