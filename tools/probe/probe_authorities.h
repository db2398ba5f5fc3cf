/*
 * The system's authorities that lie in one file. OpenSSL reads such a file as a whole, which takes
 * longer than all the connections of a probe; here it is read as far as the names, and only who may
 * have issued what a server shows is made an authority of a store.
 */
#ifndef TLSWITNESS_PROBE_AUTHORITIES_H
#define TLSWITNESS_PROBE_AUTHORITIES_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509.h>

struct probe_authority {
	X509_NAME *subject;
	unsigned char *der;
	long length;
	bool is_trusted; /* with OpenSSL's trust settings behind it ("TRUSTED CERTIFICATE") */
	bool is_added;   /* to the store */
};

/* Zeroed: not read yet. */
struct probe_authorities {
	struct probe_authority *authority;
	size_t count;
	bool is_read;
};

/*
 * Adds to `store` those that a certificate of `chain` names as its issuer, those that they name,
 * and so on. False if there was none that is not in it yet.
 */
bool probe_authorities_add(struct probe_authorities *authorities, X509_STORE *store,
			   const STACK_OF(X509) * chain);

void probe_authorities_free(struct probe_authorities *authorities);

#endif
