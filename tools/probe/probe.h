/*
 * What `tlswitness probe` was asked, and what it found: the model that its parts fill and its
 * renderers read. One thread has it all.
 */
#ifndef TLSWITNESS_PROBE_H
#define TLSWITNESS_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Lowest first; the index of a version in a target's verdicts. */
#define PROBE_VERSIONS 5

/* 0x0300 for the first, as the wire numbers them. */
static inline uint16_t probe_version(size_t index)
{
	return (uint16_t)(0x0300 + index);
}

enum probe_result {
	PROBE_NOT_TESTED,       /* nothing is known of the server's mind: see `how` */
	PROBE_ACCEPTED,         /* it chose the version and went on with it */
	PROBE_REFUSED,          /* by the server: see `how` */
	PROBE_UNSUPPORTED_HERE, /* this host can't ask */
};

/* Words of ours, or a server's with all but printable ASCII replaced. */
#define PROBE_WORDS 200

struct probe_verdict {
	enum probe_result result;
	char how[PROBE_WORDS];
	uint16_t cipher; /* of what was accepted */
	uint16_t group;  /* 0: none, or not known */
	bool silent;     /* `how` says a timeout after the ClientHello */
};

enum probe_starttls {
	PROBE_STARTTLS_UNKNOWN, /* not come so far, or TLS from the first byte */
	PROBE_STARTTLS_OFFERED,
	PROBE_STARTTLS_NOT_OFFERED,
	PROBE_STARTTLS_REFUSED, /* offered, and answered with 4xx or 5xx */
};

/* What a domain promises of a host, and whether the host keeps it. */
enum probe_promise_state {
	PROBE_PROMISE_NOT_ASKED,
	PROBE_PROMISE_NONE, /* nothing is promised */
	PROBE_PROMISE_KEPT,
	PROBE_PROMISE_BROKEN,
	PROBE_PROMISE_UNKNOWN, /* could not be looked up, or the host not be tested */
};

struct probe_promise {
	enum probe_promise_state state;
	char how[PROBE_WORDS];
};

/* The server's certificate, as the highest version that was accepted showed it. */
struct probe_certificate {
	bool known;
	bool verified;            /* chain and name */
	char reason[PROBE_WORDS]; /* why it was not verified, or is not known */
	char *subject;            /* RFC 2253 */
	char *issuer;
	char *names; /* of the subjectAltName, separated by ", "; "" if it has none */
	char not_after[32];
	long days_left; /* negative: expired for so long */
};

/* One TLSA record (RFC 6698, 2.1). */
struct probe_tlsa {
	uint8_t usage;
	uint8_t selector;
	uint8_t matching_type;
	uint8_t *data;
	size_t length;
};

#define PROBE_TLSA_MAX 32

#define PROBE_NAME_MAX 255

/* The TLSA records of one host and port, DNSSEC-validated. */
struct probe_dane {
	enum probe_promise_state state; /* NOT_ASKED, NONE, UNKNOWN; KEPT: there are records */
	char how[PROBE_WORDS];
	char base[PROBE_NAME_MAX + 1]; /* the name that the records were found for */
	struct probe_tlsa tlsa[PROBE_TLSA_MAX];
	size_t count;
};

enum probe_policy_mode { PROBE_POLICY_NONE, PROBE_POLICY_TESTING, PROBE_POLICY_ENFORCE };

#define PROBE_POLICY_MX_MAX 64

/* A domain's MTA-STS policy (RFC 8461). */
struct probe_policy {
	enum probe_promise_state state; /* as of struct probe_dane */
	char how[PROBE_WORDS];
	enum probe_policy_mode mode;
	char mx[PROBE_POLICY_MX_MAX][PROBE_NAME_MAX + 1];
	size_t mx_count;
	unsigned long max_age;
};

struct probe_mx {
	char host[PROBE_NAME_MAX + 1];
	unsigned preference;
};

#define PROBE_MX_MAX 64

/* What --mx asked of. */
struct probe_domain {
	const char *name;
	struct probe_mx mx[PROBE_MX_MAX]; /* in order of preference */
	size_t mx_count;
	char trouble[PROBE_WORDS];   /* why there is no host to ask; "": there is */
	struct probe_promise dnssec; /* KEPT: the MX records are signed, and the signatures good */
	struct probe_policy policy;
};

/* How many connections went in which way. */
struct probe_tally {
	unsigned long version[PROBE_VERSIONS];
	unsigned long clear;
	unsigned long failed;
};

/* How connections of this host's own applications to that server went. */
struct probe_seen {
	bool asked;
	struct probe_tally all;
	struct probe_program {
		char *name; /* its script's, else its executable's path */
		struct probe_tally tally;
	} * program; /* in the order of the log */
	size_t program_count;
};

/* One host, port and address. */
struct probe_target {
	const char *host;
	bool is_address; /* `host` is one: no server name is sent, and the address is verified */
	uint16_t port;
	bool implicit;
	const struct probe_domain *domain; /* NULL: not by --mx */
	unsigned preference;

	struct sockaddr_storage address; /* ss_family 0: none was found */
	socklen_t address_length;
	char address_text[INET6_ADDRSTRLEN];

	struct probe_verdict verdict[PROBE_VERSIONS];
	enum probe_starttls starttls;
	char starttls_reply[PROBE_WORDS];
	struct probe_certificate certificate;
	const struct probe_dane *tlsa; /* NULL: not asked */
	struct probe_promise dane;
	struct probe_promise mta_sts;
	struct probe_seen seen;
};

enum probe_tls_mode { PROBE_BY_PORT, PROBE_STARTTLS, PROBE_IMPLICIT };

struct probe_settings {
	uint16_t floor;
	enum probe_tls_mode tls_mode;
	int family;    /* AF_UNSPEC, AF_INET, AF_INET6 */
	uint16_t port; /* of hosts that name none */
	unsigned timeout_ms;
	unsigned delay_ms;
	unsigned parallel;
	const char *helo;         /* NULL: the address literal */
	const char *ca_file;      /* NULL: the system's */
	const char *resolver;     /* NULL: the system's */
	const char *trust_anchor; /* NULL: the root's */
	bool dane;
	bool mta_sts;
	bool json;
	const char *compare; /* NULL: none */
};

/* All that is asked, grown as it is found out. */
struct probe {
	struct probe_settings settings;
	struct probe_domain *domain;
	size_t domain_count;
	struct probe_target *target;
	size_t target_count;
	size_t target_capacity;
};

/* Printable ASCII of `text`, cut where it must be, into `words`. */
void probe_words(char words[PROBE_WORDS], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
