/*
 * The record's values as the recorder counts them, and their texts.
 *
 * Zero is "not known" in every enumeration, as it is for every member of
 * struct record. Pure.
 */
#ifndef TLSWITNESS_RECORD_VALUES_H
#define TLSWITNESS_RECORD_VALUES_H

enum record_action {
	RECORD_ACTION_UNKNOWN,
#define ACTION(name, text, meaning) RECORD_ACTION_##name,
#include "shim/record/record_values.def"
	RECORD_ACTION_END
};

enum record_outcome {
	RECORD_OUTCOME_UNKNOWN,
#define OUTCOME(name, text, meaning) RECORD_OUTCOME_##name,
#include "shim/record/record_values.def"
	RECORD_OUTCOME_END
};

enum record_reason {
	RECORD_REASON_UNKNOWN,
#define REASON(name, text, meaning) RECORD_REASON_##name,
#include "shim/record/record_values.def"
	RECORD_REASON_END
};

enum record_protocol {
	RECORD_PROTOCOL_UNKNOWN,
#define PROTOCOL(name, text, meaning) RECORD_PROTOCOL_##name,
#include "shim/record/record_values.def"
	RECORD_PROTOCOL_END
};

enum record_tls_protocol {
	RECORD_TLS_PROTOCOL_UNKNOWN,
#define TLS_PROTOCOL(name, text, meaning) RECORD_TLS_PROTOCOL_##name,
#include "shim/record/record_values.def"
	RECORD_TLS_PROTOCOL_END
};

enum record_certificate {
	RECORD_CERTIFICATE_UNKNOWN,
#define CERTIFICATE(name, text, meaning) RECORD_CERTIFICATE_##name,
#include "shim/record/record_values.def"
	RECORD_CERTIFICATE_END
};

enum record_verdict {
	RECORD_VERDICT_UNKNOWN,
#define VERDICT(name, text, meaning) RECORD_VERDICT_##name,
#include "shim/record/record_values.def"
	RECORD_VERDICT_END
};

enum record_mode {
	RECORD_MODE_UNKNOWN,
#define MODE(name, text, meaning) RECORD_MODE_##name,
#include "shim/record/record_values.def"
	RECORD_MODE_END
};

enum record_tls_mode {
	RECORD_TLS_MODE_UNKNOWN,
#define TLS_MODE(name, text, meaning) RECORD_TLS_MODE_##name,
#include "shim/record/record_values.def"
	RECORD_TLS_MODE_END
};

enum record_limit {
	RECORD_LIMIT_UNKNOWN,
#define LIMIT(name, text, meaning) RECORD_LIMIT_##name,
#include "shim/record/record_values.def"
	RECORD_LIMIT_END
};

/* Several may have seen the same connection: WITNESS_OPENSSL, … are bits. */
enum record_witness_number {
#define WITNESS(name, text, meaning) WITNESS_NUMBER_##name,
#include "shim/record/record_values.def"
	WITNESS_NUMBER_END
};

enum record_witness {
#define WITNESS(name, text, meaning) WITNESS_##name = 1 << WITNESS_NUMBER_##name,
#include "shim/record/record_values.def"
};

/* One line of the table. */
struct record_value {
	const char *text;    /* as it stands in the line */
	const char *meaning; /* for people */
};

/* One list of the table: `value[i]` is that of the enumeration's constant i + 1. */
struct record_value_set {
	const struct record_value *value;
	unsigned count;
};

enum record_set {
	RECORD_SET_ACTION,
	RECORD_SET_OUTCOME,
	RECORD_SET_REASON,
	RECORD_SET_PROTOCOL,
	RECORD_SET_TLS_PROTOCOL,
	RECORD_SET_CERTIFICATE,
	RECORD_SET_VERDICT,
	RECORD_SET_MODE,
	RECORD_SET_TLS_MODE,
	RECORD_SET_LIMIT,
	RECORD_SET_WITNESS,
	RECORD_SETS
};

extern const struct record_value_set record_value_sets[RECORD_SETS];

/* The text of an enumeration's constant; NULL for zero and for what is none. Static. */
const char *record_value_text(enum record_set set, unsigned value);

#endif
