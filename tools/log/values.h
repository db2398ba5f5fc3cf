/*
 * The values that a record's fields can have, as enums, and their names; how to
 * read them from an entry. All that reads records stands on these.
 */
#ifndef TLSWITNESS_VALUES_H
#define TLSWITNESS_VALUES_H

#include <stdbool.h>

#include "tools/base/slice.h"
#include "tools/log/entry.h"

/* In rising order, so that a larger value is a better version. */
enum entry_version {
	VERSION_CLEAR,   /* no TLS: the session was in the clear */
	VERSION_UNKNOWN, /* TLS, but no version was seen (a failed handshake), or a name we don't
			    know */
	VERSION_SSL_3_0,
	VERSION_TLS_1_0,
	VERSION_TLS_1_1,
	VERSION_TLS_1_2,
	VERSION_TLS_1_3,
	ENTRY_VERSIONS,
};

/* In rising order of harm: "worst first" is "largest first". */
enum entry_verdict {
#define VERDICT(name, text, meaning) VERDICT_##name,
/* Missing, or a name that this reader does not know. */
#define UNKNOWN_VERDICT VERDICT_OTHER,
#include "shim/record/record_values.def"
	ENTRY_VERDICTS,
};

enum entry_limit {
	LIMIT_UNKNOWN,
#define LIMIT(name, text, meaning) LIMIT_##name,
#include "shim/record/record_values.def"
	ENTRY_LIMITS,
};

enum entry_certificate {
	CERTIFICATE_UNKNOWN,
#define CERTIFICATE(name, text, meaning) CERTIFICATE_##name,
#include "shim/record/record_values.def"
	ENTRY_CERTIFICATES,
};

enum entry_action {
	ACTION_OTHER,
#define ACTION(name, text, meaning) ACTION_##name,
#include "shim/record/record_values.def"
};

static inline bool action_is_connection(enum entry_action action)
{
	return action == ACTION_HANDSHAKE || action == ACTION_PLAINTEXT_MAIL ||
	       action == ACTION_SESSION;
}

/* The names that records, options and machine-readable formats use. Static. */
const char *entry_version_name(enum entry_version version); /* "1.2", "clear", "unknown" */
const char *entry_verdict_name(enum entry_verdict verdict); /* "below-floor" */
const char *entry_limit_name(enum entry_limit limit);
const char *entry_certificate_name(enum entry_certificate certificate);

/* "ok, no-mail, ...": all verdicts, for whoever typed one that is none. Static. */
const char *entry_verdict_list(void);

/* Back from such a name; the count of that enum if there is none. */
enum entry_version entry_version_from(struct slice name);
enum entry_verdict entry_verdict_from(struct slice name);
enum entry_limit entry_limit_from(struct slice name);
enum entry_certificate entry_certificate_from(struct slice name);
enum entry_action entry_action_from(struct slice name); /* ACTION_OTHER if there is none */

/* A field's value; what is missing or has no name we know is the enum's "unknown" or "other". */
enum entry_action entry_action(const struct entry *entry);
enum entry_version entry_version(const struct entry *entry, enum entry_action action);
enum entry_verdict entry_verdict(const struct entry *entry);
enum entry_limit entry_limit(const struct entry *entry);
enum entry_certificate entry_certificate(const struct entry *entry);

/* Is the event's outcome a success? Not where the record does not say. */
bool entry_succeeded(const struct entry *entry);

/* The version that another field names, such as the floor; VERSION_UNKNOWN if there is none. */
enum entry_version entry_version_of(const struct entry *entry, enum entry_field field);

/*
 * The least version that the client would have accepted: the first that it
 * offered, else the minimum that was configured; VERSION_UNKNOWN if neither is known.
 */
enum entry_version entry_least_accepted(const struct entry *entry);

/* The highest version that the client offered; VERSION_UNKNOWN if nobody saw that. */
enum entry_version entry_most_offered(const struct entry *entry);

#endif
