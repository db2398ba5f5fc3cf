/*
 * Encrypted, but to whom? What was seen of the checks of a server's
 * certificate, and what a record may say of it.
 *
 * Pure. Witnesses note what they see; the judgement is the same for each TLS
 * library. It accuses only of what was seen: `unchecked` and `failed` are
 * findings, and `chain-only` is none.
 */
#ifndef TLSWITNESS_CERTIFICATE_CHECKS_H
#define TLSWITNESS_CERTIFICATE_CHECKS_H

#include <stdbool.h>

#include "shim/record/record_values.h"

enum certificate_check {
	CHECK_NONE,   /* nobody was seen to ask */
	CHECK_PASSED, /* asked, and found right */
	CHECK_FAILED, /* asked, and found wrong */
	CHECK_READ,   /* the application has read what it needs to compare by itself */
};

/* Zeroed: nothing was seen yet. */
struct certificate_checks {
	enum certificate_check chain; /* from the certificate to something trusted; never READ */
	enum certificate_check name;  /* of the server, in the certificate */
	/*
	 * By TLSA records about the server's own certificate, which stand for chain
	 * and name (RFC 7672, 3.1.1); never READ. Who knows them need not mind the rest.
	 */
	enum certificate_check dane;
	enum record_reason failure; /* of what failed first */
	bool lenient; /* the library was not told to end a handshake that it finds wrong */
	bool pinned;  /* the application has read a fingerprint, to compare by itself */
};

/*
 * What may be said; RECORD_CERTIFICATE_UNKNOWN where that is nothing. `used`:
 * bytes of the application have passed since, so that it took the certificate
 * for good enough.
 */
enum record_certificate certificate_judgement(const struct certificate_checks *checks, bool used);

/* Why, where the judgement is "failed"; else RECORD_REASON_UNKNOWN. */
enum record_reason certificate_failure(const struct certificate_checks *checks, bool used);

#endif
