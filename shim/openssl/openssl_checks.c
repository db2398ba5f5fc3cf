#include "shim/openssl/openssl_checks.h"

#include <errno.h>

#include "shim/base/thread.h"
#include "shim/core/inside.h"
#include "shim/core/recorder.h"

/* RFC 7218; OpenSSL's headers have no name for it. */
#define DANE_EE 3

enum record_reason openssl_checks_failure(long error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return RECORD_REASON_CERTIFICATE_EXPIRED;
	case X509_V_ERR_DANE_NO_MATCH:
		return RECORD_REASON_TLSA_INVALID;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
	case X509_V_ERR_EMAIL_MISMATCH:
		return RECORD_REASON_CERTIFICATE_HOST_MISMATCH;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		return RECORD_REASON_CERTIFICATE_NOT_TRUSTED;
	default:
		return RECORD_REASON_VALIDATION_FAILURE;
	}
}

/* Was it a TLSA record of the server's own certificate that matched? */
static bool is_by_dane(const struct ssl_library *library, SSL *ssl)
{
	uint8_t usage;

	return library->SSL_get0_dane_tlsa &&
	       library->SSL_get0_dane_tlsa(ssl, &usage, NULL, NULL, NULL, NULL) >= 0 &&
	       usage == DANE_EE;
}

/* Did the application have the library compare the certificate with a name or address? */
static bool name_was_checked(const struct ssl_library *library, SSL *ssl)
{
	const struct crypto_library *crypto = &library->crypto;
	char *address;

	if (library->SSL_get0_peername && library->SSL_get0_peername(ssl))
		return true;
	if (!library->SSL_get0_param || !crypto->X509_VERIFY_PARAM_get1_ip_asc ||
	    !crypto->CRYPTO_free)
		return false;
	address = crypto->X509_VERIFY_PARAM_get1_ip_asc(library->SSL_get0_param(ssl));
	crypto->CRYPTO_free(address, __FILE__, __LINE__);
	return address != NULL;
}

/*
 * Which certificate: a hash of its signature (FNV-1a), for applications look at
 * copies of the one that OpenSSL has. Never 0 for one that is there.
 */
static uint64_t identity(const struct crypto_library *crypto, const X509 *certificate)
{
	const ASN1_BIT_STRING *signature = NULL;
	const unsigned char *bytes;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	if (!certificate || !crypto->X509_get0_signature || !crypto->ASN1_STRING_get0_data ||
	    !crypto->ASN1_STRING_length)
		return 0;
	crypto->X509_get0_signature(&signature, NULL, certificate);
	if (!signature)
		return 0;
	bytes = crypto->ASN1_STRING_get0_data(signature);
	for (int i = 0; i < crypto->ASN1_STRING_length(signature); i++)
		hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

static uint64_t peer_identity(const struct ssl_library *library, SSL *ssl)
{
	X509 *certificate;
	uint64_t found;

	if (!library->SSL_get1_peer_certificate || !library->crypto.X509_free)
		return 0;
	certificate = library->SSL_get1_peer_certificate(ssl);
	found = identity(&library->crypto, certificate);
	library->crypto.X509_free(certificate);
	return found;
}

static void note_chain(struct certificate_checks *checks, long result)
{
	checks->chain = result == X509_V_OK ? CHECK_PASSED : CHECK_FAILED;
	checks->failure =
		result == X509_V_OK ? RECORD_REASON_UNKNOWN : openssl_checks_failure(result);
}

void openssl_checks_read(struct tls_object *object, const struct ssl_library *library, SSL *ssl,
			 bool established)
{
	struct certificate_checks *checks = &object->checks;
	const uint64_t looked_at = object->certificate;
	long result;

	object->certificate = peer_identity(library, ssl);
	/* A handshake that a callback has ended leaves no certificate behind. */
	if (looked_at && established && looked_at != object->certificate)
		*checks = (struct certificate_checks){0};
	if (!library->SSL_get_verify_mode || !library->SSL_get_verify_result)
		return;
	checks->lenient = !(library->SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER);
	if (checks->lenient)
		return;
	result = library->SSL_get_verify_result(ssl);
	if (established || result != X509_V_OK)
		note_chain(checks, result);
	if (established && is_by_dane(library, ssl))
		checks->dane = CHECK_PASSED;
	if (checks->chain == CHECK_PASSED && name_was_checked(library, ssl))
		checks->name = CHECK_PASSED;
	/* A callback that has read the names says no more than no. */
	if (checks->failure == RECORD_REASON_VALIDATION_FAILURE && checks->name != CHECK_NONE)
		checks->failure = RECORD_REASON_CERTIFICATE_HOST_MISMATCH;
}

/* Whose record is not out yet; NULL: of no interest. */
static struct tls_object *object_of(const void *ssl)
{
	struct tls_object *object = recorder.on && ssl ? tls_object_find(ssl) : NULL;

	return object && (!object->done || object->undecided) ? object : NULL;
}

void openssl_checks_result(SSL *ssl, long result)
{
	const int saved = errno;
	struct tls_object *object = object_of(ssl);

	if (object && object->undecided && object->checks.lenient) {
		note_chain(&object->checks, result);
		inside_checked(object);
	}
	errno = saved;
}

/*
 * The connection whose server has this certificate: of the object that this
 * thread used last. In a callback nobody knows yet which certificate that will
 * be: it is kept for the handshake's end.
 */
static struct tls_object *object_with(const struct ssl_library *library, const X509 *certificate)
{
	struct tls_object *object = object_of(thread_state.session);
	uint64_t which;

	if (!object || (!object->done && thread_state.library_depth == 0))
		return NULL;
	which = identity(&library->crypto, certificate);
	if (which && !object->done)
		object->certificate = which;
	return which && object->certificate == which ? object : NULL;
}

void openssl_checks_name(const struct ssl_library *library, const X509 *certificate, bool matches)
{
	const int saved = errno;
	struct tls_object *object = object_with(library, certificate);

	if (object) {
		object->checks.name = matches ? CHECK_PASSED : CHECK_FAILED;
		inside_checked(object);
	}
	errno = saved;
}

void openssl_checks_names_read(const struct ssl_library *library, const X509 *certificate)
{
	const int saved = errno;
	struct tls_object *object = object_with(library, certificate);

	if (object && object->checks.name == CHECK_NONE) {
		object->checks.name = CHECK_READ;
		inside_checked(object);
	}
	errno = saved;
}

void openssl_checks_fingerprint(const struct ssl_library *library, const X509 *certificate)
{
	const int saved = errno;
	struct tls_object *object = object_with(library, certificate);

	if (object) {
		object->checks.pinned = true;
		inside_checked(object);
	}
	errno = saved;
}
