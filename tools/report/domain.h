/*
 * The registrable domain of a host name: "example.co.uk" of "mx1.mail.example.co.uk", by the
 * Public Suffix List (publicsuffix.org) as the system has it.
 */
#ifndef TLSWITNESS_DOMAIN_H
#define TLSWITNESS_DOMAIN_H

#include "tools/base/slice.h"

/* A name is at most this long (RFC 1035, 2.3.4). */
#define DOMAIN_MAX 254

/*
 * Of `host`, in lower case, in `room`; an address, and a name that nobody could register, is
 * its own. A name that is longer than any is left as it is, borrowed. For any thread.
 */
struct slice registrable_domain(struct slice host, char room[DOMAIN_MAX]);

#endif
