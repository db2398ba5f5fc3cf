/*
 * The certificate that a server showed: who it is for, how long, and whether it is to be believed
 * by the authorities that this host trusts, and by the TLSA records that were found.
 */
#ifndef TLSWITNESS_PROBE_CERTIFICATE_H
#define TLSWITNESS_PROBE_CERTIFICATE_H

#include <openssl/ssl.h>

#include "tools/probe/probe.h"
#include "tools/probe/probe_authorities.h"

struct probe_verifier {
	X509_STORE *store;
	SSL_CTX *dane;
	bool is_systems; /* the system's choice of authorities */
	struct probe_authorities authorities;
};

/* `ca_file` is PEM; NULL: the system's authorities. False with a complaint. */
bool probe_verifier_init(struct probe_verifier *verifier, const char *ca_file);
void probe_verifier_free(struct probe_verifier *verifier);

/* Fills in the certificate of `target`, and `dane` if it has TLSA records, from a handshake. */
void probe_certificate_judge(struct probe_target *target, SSL *ssl,
			     struct probe_verifier *verifier);

void probe_certificate_free(struct probe_certificate *certificate);

#endif
