/*
 * The table of values, once for each set. Knows nothing but the table.
 */
#include "shim/record/record_values.h"

#include <stddef.h>

#define ROW(text, meaning) {text, meaning},

static const struct record_value action_values[] = {
#define ACTION(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value outcome_values[] = {
#define OUTCOME(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value reason_values[] = {
#define REASON(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value protocol_values[] = {
#define PROTOCOL(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value tls_protocol_values[] = {
#define TLS_PROTOCOL(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value certificate_values[] = {
#define CERTIFICATE(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value verdict_values[] = {
#define VERDICT(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value mode_values[] = {
#define MODE(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value tls_mode_values[] = {
#define TLS_MODE(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value limit_values[] = {
#define LIMIT(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

static const struct record_value witness_values[] = {
#define WITNESS(name, text, meaning) ROW(text, meaning)
#include "shim/record/record_values.def"
};

#define SET_OF(array)                                       \
	{                                                   \
		(array), sizeof(array) / sizeof((array)[0]) \
	}

const struct record_value_set record_value_sets[RECORD_SETS] = {
	[RECORD_SET_ACTION] = SET_OF(action_values),
	[RECORD_SET_OUTCOME] = SET_OF(outcome_values),
	[RECORD_SET_REASON] = SET_OF(reason_values),
	[RECORD_SET_PROTOCOL] = SET_OF(protocol_values),
	[RECORD_SET_TLS_PROTOCOL] = SET_OF(tls_protocol_values),
	[RECORD_SET_CERTIFICATE] = SET_OF(certificate_values),
	[RECORD_SET_VERDICT] = SET_OF(verdict_values),
	[RECORD_SET_MODE] = SET_OF(mode_values),
	[RECORD_SET_TLS_MODE] = SET_OF(tls_mode_values),
	[RECORD_SET_LIMIT] = SET_OF(limit_values),
	[RECORD_SET_WITNESS] = SET_OF(witness_values),
};

const char *record_value_text(enum record_set set, unsigned value)
{
	if (value == 0 || value > record_value_sets[set].count)
		return NULL;
	return record_value_sets[set].value[value - 1].text;
}
