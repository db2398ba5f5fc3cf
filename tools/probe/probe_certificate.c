/*
 * The verdicts on a chain of certificates: by OpenSSL, apart from the handshake that brought it,
 * since one chain is held against more than one promise. Knows no connection.
 */
#include "tools/probe/probe_certificate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/probe/probe_tls.h"

bool probe_verifier_init(struct probe_verifier *verifier, const char *ca_file)
{
	verifier->store = X509_STORE_new();
	verifier->dane = SSL_CTX_new(TLS_client_method());
	if (verifier->store == NULL || verifier->dane == NULL ||
	    SSL_CTX_dane_enable(verifier->dane) != 1) {
		complain("OpenSSL does not start (%s)", probe_tls_reason());
		return false;
	}
	if (ca_file == NULL) {
		/* A directory is looked into by name, a file where that was not enough. Without
		 * any, every chain fails, and says why. */
		X509_LOOKUP *lookup =
			X509_STORE_add_lookup(verifier->store, X509_LOOKUP_hash_dir());
		if (lookup != NULL)
			(void)X509_LOOKUP_add_dir(lookup, NULL, X509_FILETYPE_DEFAULT);
		verifier->is_systems = true;
		return true;
	}
	if (X509_STORE_load_locations(verifier->store, ca_file, NULL) != 1) {
		complain("the authorities in %s can't be read (%s); --ca-file takes PEM", ca_file,
			 probe_tls_reason());
		return false;
	}
	return true;
}

void probe_verifier_free(struct probe_verifier *verifier)
{
	X509_STORE_free(verifier->store);
	probe_authorities_free(&verifier->authorities);
	SSL_CTX_free(verifier->dane);
}

/* ---- what it says ---- */

/* What a memory BIO holds, as a string of its own. */
static char *bio_text(BIO *bio)
{
	char *bytes = NULL;
	long length = bio != NULL ? BIO_get_mem_data(bio, &bytes) : 0;
	char *text = table_allocate((size_t)length + 1);

	memcpy(text, length > 0 ? bytes : "", (size_t)length);
	text[length] = '\0';
	return text;
}

static char *name_text(const X509_NAME *name)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio != NULL)
		X509_NAME_print_ex(bio, name, 0,
				   XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	char *text = bio_text(bio);
	BIO_free(bio);
	return text;
}

static void put_address(BIO *bio, const ASN1_OCTET_STRING *address)
{
	char text[INET6_ADDRSTRLEN] = "";
	int length = ASN1_STRING_length(address);

	if (length == 4 || length == 16)
		(void)inet_ntop(length == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address),
				text, sizeof(text));
	BIO_puts(bio, text);
}

static char *alternative_names(const X509 *certificate)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	BIO *bio = BIO_new(BIO_s_mem());
	bool first = true;

	for (int i = 0; bio != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (!first)
			BIO_puts(bio, ", ");
		first = false;
		if (name->type == GEN_DNS)
			ASN1_STRING_print_ex(bio, name->d.dNSName, ASN1_STRFLGS_ESC_CTRL);
		else
			put_address(bio, name->d.iPAddress);
	}
	char *text = bio_text(bio);
	BIO_free(bio);
	GENERAL_NAMES_free(names);
	return text;
}

static void read_end(struct probe_certificate *certificate, const X509 *x509)
{
	const ASN1_TIME *end = X509_get0_notAfter(x509);
	struct tm time;
	int days = 0;
	int seconds = 0;

	if (ASN1_TIME_to_tm(end, &time) == 1)
		(void)strftime(certificate->not_after, sizeof(certificate->not_after),
			       "%Y-%m-%dT%H:%M:%SZ", &time);
	if (ASN1_TIME_diff(&days, &seconds, NULL, end) == 1)
		/* What expired an hour ago is not good for 0 days. */
		certificate->days_left = seconds < 0 ? days - 1 : days;
}

static void read_certificate(struct probe_certificate *certificate, const X509 *x509)
{
	probe_certificate_free(certificate);
	certificate->known = true;
	certificate->subject = name_text(X509_get_subject_name(x509));
	certificate->issuer = name_text(X509_get_issuer_name(x509));
	certificate->names = alternative_names(x509);
	read_end(certificate, x509);
}

void probe_certificate_free(struct probe_certificate *certificate)
{
	free(certificate->subject);
	free(certificate->issuer);
	free(certificate->names);
	*certificate = (struct probe_certificate){.known = false};
}

/* ---- whether it is to be believed ---- */

static X509_STORE_CTX *new_verification(const struct probe_verifier *verifier, SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	X509_STORE_CTX *verification = X509_STORE_CTX_new();

	if (verification == NULL ||
	    X509_STORE_CTX_init(verification, verifier->store, sk_X509_value(chain, 0), chain) !=
		    1 ||
	    X509_STORE_CTX_set_default(verification, "ssl_server") != 1) {
		X509_STORE_CTX_free(verification);
		return NULL;
	}
	return verification;
}

static const char *verification_error(X509_STORE_CTX *verification)
{
	return X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification));
}

/* Chain and name, by the authorities that are loaded. */
static void verify_once(struct probe_target *target, SSL *ssl,
			const struct probe_verifier *verifier)
{
	struct probe_certificate *certificate = &target->certificate;
	X509_STORE_CTX *verification = new_verification(verifier, ssl);

	if (verification == NULL) {
		probe_words(certificate->reason, "%s", probe_tls_reason());
		return;
	}
	X509_VERIFY_PARAM *wanted = X509_STORE_CTX_get0_param(verification);
	/* What a security level forbids is not what is asked here. */
	X509_VERIFY_PARAM_set_auth_level(wanted, 0);
	X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	int ready = target->is_address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, target->host)
				       : X509_VERIFY_PARAM_set1_host(wanted, target->host, 0);
	certificate->verified = ready == 1 && X509_verify_cert(verification) == 1;
	probe_words(certificate->reason, "%s",
		    certificate->verified ? "" : verification_error(verification));
	X509_STORE_CTX_free(verification);
}

static void verify_by_authorities(struct probe_target *target, SSL *ssl,
				  struct probe_verifier *verifier)
{
	verify_once(target, ssl, verifier);
	if (!target->certificate.verified && verifier->is_systems &&
	    probe_authorities_add(&verifier->authorities, verifier->store,
				  SSL_get_peer_cert_chain(ssl)))
		verify_once(target, ssl, verifier);
}

/* RFC 7672, 3.1.3: of the usages, mail servers are known by DANE-TA(2) and DANE-EE(3) alone. */
static bool is_usable(const struct probe_tlsa *tlsa)
{
	return tlsa->usage == 2 || tlsa->usage == 3;
}

/* How many records OpenSSL can use. */
static size_t add_records(SSL *dane, const struct probe_dane *records)
{
	size_t usable = 0;

	for (size_t i = 0; i < records->count; i++) {
		const struct probe_tlsa *tlsa = &records->tlsa[i];
		if (is_usable(tlsa) &&
		    SSL_dane_tlsa_add(dane, tlsa->usage, tlsa->selector, tlsa->matching_type,
				      tlsa->data, tlsa->length) == 1)
			usable++;
	}
	return usable;
}

static void note_match(struct probe_promise *promise, SSL *dane)
{
	uint8_t usage = 0;
	uint8_t selector = 0;
	uint8_t matching_type = 0;

	promise->state = PROBE_PROMISE_KEPT;
	if (SSL_get0_dane_tlsa(dane, &usage, &selector, &matching_type, NULL, NULL) >= 0)
		probe_words(promise->how, "TLSA %u %u %u matches", usage, selector, matching_type);
	else
		probe_words(promise->how, "a TLSA record matches");
}

/* By the TLSA records (RFC 7672). */
static void verify_by_dane(struct probe_target *target, SSL *ssl,
			   const struct probe_verifier *verifier)
{
	const struct probe_dane *records = target->tlsa;
	SSL *dane = SSL_new(verifier->dane);
	X509_STORE_CTX *verification = new_verification(verifier, ssl);

	target->dane.state = PROBE_PROMISE_UNKNOWN;
	if (dane == NULL || verification == NULL || SSL_dane_enable(dane, records->base) != 1) {
		probe_words(target->dane.how, "%s", probe_tls_reason());
		goto out;
	}
	/* RFC 7672, 3.1.1: with DANE-EE(3) the name and the dates don't count. */
	SSL_dane_set_flags(dane, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	/* RFC 7672, 3.2.2: with DANE-TA(2) the name is the host's, or the domain's. */
	if (target->domain != NULL)
		(void)SSL_add1_host(dane, target->domain->name);
	if (add_records(dane, records) == 0) {
		target->dane.state = PROBE_PROMISE_BROKEN;
		probe_words(target->dane.how, "no TLSA record is usable for mail");
		goto out;
	}
	X509_VERIFY_PARAM *wanted = X509_STORE_CTX_get0_param(verification);
	if (X509_VERIFY_PARAM_set1(wanted, SSL_get0_param(dane)) != 1)
		goto out;
	X509_VERIFY_PARAM_set_auth_level(wanted, 0);
	X509_STORE_CTX_set0_dane(verification, SSL_get0_dane(dane));
	if (X509_verify_cert(verification) == 1) {
		note_match(&target->dane, dane);
	} else {
		target->dane.state = PROBE_PROMISE_BROKEN;
		probe_words(target->dane.how, "%s", verification_error(verification));
	}
out:
	X509_STORE_CTX_free(verification);
	SSL_free(dane);
}

void probe_certificate_judge(struct probe_target *target, SSL *ssl, struct probe_verifier *verifier)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
	X509 *x509 = chain != NULL ? sk_X509_value(chain, 0) : NULL;

	if (x509 == NULL) {
		probe_words(target->certificate.reason, "the server showed none");
		return;
	}
	ERR_clear_error();
	read_certificate(&target->certificate, x509);
	verify_by_authorities(target, ssl, verifier);
	if (target->tlsa != NULL && target->tlsa->count > 0)
		verify_by_dane(target, ssl, verifier);
}
