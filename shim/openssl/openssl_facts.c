/*
 * Asks OpenSSL. Everything goes through the library's own public functions;
 * those that an older version lacks are simply not asked.
 */
#include "shim/openssl/openssl_facts.h"

#include <string.h>

#include "shim/wire/certificate_name.h"
#include "shim/openssl/openssl_versions.h"
#include "shim/core/recorder.h"
#include "shim/base/error_text.h"
#include "shim/base/text.h"

/* Not in every version's header. */
#ifndef SSL_CTRL_GET_NEGOTIATED_GROUP
#define SSL_CTRL_GET_NEGOTIATED_GROUP 134
#endif
#ifndef TLSEXT_nid_unknown
#define TLSEXT_nid_unknown 0x1000000
#endif

/* ---- what was negotiated ---- */

struct group_number {
	int nid;
	uint16_t group;
};

/* OpenSSL's object numbers of the named groups that it can negotiate (obj_mac.h). */
static const struct group_number group_numbers[] = {
	{409, 19},   {715, 24},   {716, 25},  {713, 21},  {415, 23},   {714, 22},   {927, 26},
	{931, 27},   {933, 28},   {1034, 29}, {1035, 30}, {1126, 256}, {1127, 257}, {1128, 258},
	{1129, 259}, {1130, 260}, {1285, 31}, {1286, 32}, {1287, 33},
};

static uint16_t negotiated_group(const struct ssl_library *library, SSL *ssl)
{
	long nid = library->SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, NULL);

	if (nid > 0 && (nid & TLSEXT_nid_unknown))
		return (uint16_t)(nid & 0xffff);
	for (size_t i = 0; i < sizeof(group_numbers) / sizeof(group_numbers[0]); i++) {
		if (group_numbers[i].nid == nid)
			return group_numbers[i].group;
	}
	return 0;
}

static void read_session(struct library_view *view, const struct ssl_library *library, SSL *ssl)
{
	const SSL_CIPHER *cipher = library->SSL_get_current_cipher(ssl);

	view->version = (uint16_t)library->SSL_version(ssl);
	if (cipher)
		view->cipher = (uint16_t)(library->SSL_CIPHER_get_id(cipher) & 0xffff);
	view->group = negotiated_group(library, ssl);
	if (library->SSL_session_reused)
		view->resumed = library->SSL_session_reused(ssl) ? RECORD_TRUE : RECORD_FALSE;
}

static void read_server_name(struct library_view *view, const struct ssl_library *library, SSL *ssl)
{
	const char *name = library->SSL_get_servername
				   ? library->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)
				   : NULL;

	if (name)
		text_append(view->server_name, sizeof(view->server_name), name);
}

/* ---- the certificate ---- */

static void write_name(char text[CONNECTION_TEXT_MAX], const struct crypto_library *crypto,
		       const X509_NAME *name)
{
	const unsigned char *der;
	size_t length;

	/* 1.1 declares it without const, and changes nothing either. */
	if (name && crypto->X509_NAME_get0_der((X509_NAME *)name, &der, &length) == 1)
		certificate_name_write(text, CONNECTION_TEXT_MAX, der, length);
}

static void read_certificate(struct library_view *view, const struct ssl_library *library, SSL *ssl)
{
	const struct crypto_library *crypto = &library->crypto;
	const ASN1_TIME *time;
	X509 *certificate;

	if (!library->SSL_get1_peer_certificate || !crypto->X509_free ||
	    !crypto->X509_NAME_get0_der || !crypto->X509_get_subject_name ||
	    !crypto->X509_get_issuer_name || !crypto->X509_get0_notAfter ||
	    !crypto->ASN1_STRING_get0_data || !crypto->ASN1_STRING_length ||
	    !crypto->ASN1_STRING_type)
		return;
	certificate = library->SSL_get1_peer_certificate(ssl);
	if (!certificate)
		return;
	write_name(view->subject, crypto, crypto->X509_get_subject_name(certificate));
	write_name(view->issuer, crypto, crypto->X509_get_issuer_name(certificate));
	time = crypto->X509_get0_notAfter(certificate);
	if (time)
		certificate_time_write(view->not_after, crypto->ASN1_STRING_get0_data(time),
				       (size_t)crypto->ASN1_STRING_length(time),
				       crypto->ASN1_STRING_type(time) == V_ASN1_GENERALIZEDTIME);
	crypto->X509_free(certificate);
}

/* ---- why it failed ---- */

static void explain_verification(struct library_view *view, const struct crypto_library *crypto,
				 enum record_reason reason, long error)
{
	text_append(view->reason, sizeof(view->reason),
		    record_value_text(RECORD_SET_REASON, reason));
	if (!crypto->X509_verify_cert_error_string)
		return;
	text_append(view->reason, sizeof(view->reason), " (");
	text_append(view->reason, sizeof(view->reason),
		    crypto->X509_verify_cert_error_string(error));
	text_append(view->reason, sizeof(view->reason), ")");
}

static void explain_failure(struct library_view *view, const struct ssl_library *library, SSL *ssl,
			    int system_error, enum record_reason reason)
{
	const struct crypto_library *crypto = &library->crypto;
	unsigned long error = crypto->ERR_peek_last_error();
	const char *words = NULL;

	if (reason != RECORD_REASON_UNKNOWN) {
		view->peer_certificate = RECORD_CERTIFICATE_FAILED;
		explain_verification(view, crypto, reason, library->SSL_get_verify_result(ssl));
		return;
	}
	if (error && crypto->ERR_reason_error_string)
		words = crypto->ERR_reason_error_string(error);
	if (!words && system_error)
		words = error_text(system_error);
	if (words)
		text_append(view->reason, sizeof(view->reason), words);
}

void openssl_facts(struct library_view *view, const struct ssl_library *library, SSL *ssl,
		   bool established, int system_error, enum record_reason reason)
{
	struct openssl_versions versions;

	memset(view, 0, sizeof(*view));
	recorder_now(&view->ended);
	view->witness = WITNESS_OPENSSL;
	memcpy(view->name, library->crypto.name, sizeof(view->name));
	view->established = established;
	openssl_versions_read(&versions, library, ssl);
	view->configured_min = versions.configured_min;
	view->configured_max = versions.configured_max;
	view->lowest = versions.lowest;
	view->highest = versions.highest;
	setting_ids_of(view->setting_ids, ssl,
		       library->SSL_get_SSL_CTX ? library->SSL_get_SSL_CTX(ssl) : NULL);
	read_server_name(view, library, ssl);
	if (established) {
		read_session(view, library, ssl);
		read_certificate(view, library, ssl);
	} else {
		explain_failure(view, library, ssl, system_error, reason);
	}
}
