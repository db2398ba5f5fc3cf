/*
 * PEM -> names, and certificates of those that are asked for. Where the file is is OpenSSL's to
 * say.
 */
#include "tools/probe/probe_authorities.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "tools/base/table.h"

/* ---- reading ---- */

/* Steps over an element, or into it. False if it is not there as a whole, or not of this tag. */
static bool step(const unsigned char **at, const unsigned char *end, int tag, bool into)
{
	const unsigned char *next = *at;
	long length = 0;
	int found = 0;
	int class = 0;

	if ((ASN1_get_object(&next, &length, &found, &class, end - *at) & 0x80) || found != tag)
		return false;
	*at = into ? next : next + length;
	return true;
}

/* RFC 5280, 4.1: the subject is behind version, serial number, algorithm, issuer and validity. */
static X509_NAME *read_subject(const unsigned char *der, long length)
{
	static const int before[] = {V_ASN1_INTEGER, V_ASN1_SEQUENCE, V_ASN1_SEQUENCE,
				     V_ASN1_SEQUENCE};
	const unsigned char *at = der;
	const unsigned char *end = der + length;
	bool ok = true;

	/* Into the certificate, and into what of it is signed. */
	for (int i = 0; ok && i < 2; i++)
		ok = step(&at, end, V_ASN1_SEQUENCE, true);
	/* [0]; there is none in the first version. */
	(void)step(&at, end, 0, false);
	for (size_t i = 0; ok && i < sizeof(before) / sizeof(before[0]); i++)
		ok = step(&at, end, before[i], false);
	return ok ? d2i_X509_NAME(NULL, &at, end - at) : NULL;
}

static void keep(struct probe_authorities *authorities, unsigned char *der, long length,
		 bool is_trusted)
{
	X509_NAME *subject = read_subject(der, length);

	if (subject == NULL) {
		OPENSSL_free(der);
		return;
	}
	authorities->authority =
		table_resize(authorities->authority,
			     (authorities->count + 1) * sizeof(authorities->authority[0]));
	authorities->authority[authorities->count++] = (struct probe_authority){
		.subject = subject, .der = der, .length = length, .is_trusted = is_trusted};
}

static void read_file(struct probe_authorities *authorities)
{
	const char *path = getenv(X509_get_default_cert_file_env());
	BIO *bio = BIO_new_file(path != NULL ? path : X509_get_default_cert_file(), "r");
	char *name = NULL;
	char *header = NULL;
	unsigned char *der = NULL;
	long length = 0;

	authorities->is_read = true;
	while (bio != NULL && PEM_read_bio(bio, &name, &header, &der, &length) == 1) {
		const bool is_trusted = strcmp(name, PEM_STRING_X509_TRUSTED) == 0;

		if (is_trusted || strcmp(name, PEM_STRING_X509) == 0 ||
		    strcmp(name, PEM_STRING_X509_OLD) == 0)
			keep(authorities, der, length, is_trusted);
		else
			OPENSSL_free(der);
		OPENSSL_free(name);
		OPENSSL_free(header);
	}
	BIO_free(bio);
	ERR_clear_error();
}

/* ---- adding ---- */

static bool add(struct probe_authority *authority, X509_STORE *store)
{
	const unsigned char *at = authority->der;
	X509 *certificate = authority->is_trusted ? d2i_X509_AUX(NULL, &at, authority->length)
						  : d2i_X509(NULL, &at, authority->length);
	bool ok = certificate != NULL && X509_STORE_add_cert(store, certificate) == 1;

	authority->is_added = true;
	X509_free(certificate);
	return ok;
}

/* Adds whoever has this name, and then whoever has issued those. */
static bool add_named(struct probe_authorities *authorities, X509_STORE *store,
		      const X509_NAME *name)
{
	bool any = false;

	for (size_t i = 0; i < authorities->count; i++) {
		struct probe_authority *authority = &authorities->authority[i];
		const unsigned char *at = authority->der;
		X509 *certificate;

		if (authority->is_added || X509_NAME_cmp(authority->subject, name) != 0)
			continue;
		any = add(authority, store) || any;
		certificate = d2i_X509(NULL, &at, authority->length);
		if (certificate != NULL)
			(void)add_named(authorities, store, X509_get_issuer_name(certificate));
		X509_free(certificate);
	}
	return any;
}

bool probe_authorities_add(struct probe_authorities *authorities, X509_STORE *store,
			   const STACK_OF(X509) * chain)
{
	bool any = false;

	if (!authorities->is_read)
		read_file(authorities);
	for (int i = 0; i < sk_X509_num(chain); i++) {
		const X509 *certificate = sk_X509_value(chain, i);

		any = add_named(authorities, store, X509_get_issuer_name(certificate)) || any;
	}
	ERR_clear_error();
	return any;
}

void probe_authorities_free(struct probe_authorities *authorities)
{
	for (size_t i = 0; i < authorities->count; i++) {
		X509_NAME_free(authorities->authority[i].subject);
		OPENSSL_free(authorities->authority[i].der);
	}
	free(authorities->authority);
}
