/*
 * What an answer of libgnutls-dane means. It does not say which of the records
 * has matched, so the records are looked at.
 */
#include "shim/gnutls/gnutls_dane.h"

#include <string.h>

#include "shim/gnutls/gnutls_verification.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* No name has more, and a damaged answer must have an end. */
#define RECORDS_MAX 64

#define HOOK(name) {#name, offsetof(struct dane_library, name), (uintptr_t)(name)},

static const struct library_function functions[] = {
#include "shim/hooks/hooks_libgnutls_dane.def"
	{"dane_query_data", offsetof(struct dane_library, dane_query_data), 0},
};

#undef HOOK

static bool describe(void *table, const struct loaded_object *object)
{
	const struct dane_library *dane = table;

	(void)object;
	return dane->dane_verify_crt_raw && dane->dane_query_data;
}

static struct dane_library libraries[LIBRARY_COPIES_MAX];

static struct library_state state;

const struct library_family dane_family = {
	.known_by = "dane_verify_crt_raw",
	.functions = functions,
	.function_count = COUNT(functions),
	.tables = libraries,
	.table_size = sizeof(libraries[0]),
	.describe = describe,
	.state = &state,
};

LIBRARY_FAMILY(dane_family);

/* The records that the certificates were held against, by whom they are about. */
struct relevant {
	unsigned of_server;
	unsigned of_authority;
};

static struct relevant relevant_records(const struct dane_library *dane,
					const struct dane_question *question)
{
	struct relevant found = {0, 0};
	gnutls_datum_t data;
	unsigned usage;
	unsigned type;
	unsigned match;

	for (unsigned i = 0; i < RECORDS_MAX; i++) {
		if (dane->dane_query_data(question->records, i, &usage, &type, &match, &data) != 0)
			break;
		if (usage == DANE_CERT_USAGE_EE || usage == DANE_CERT_USAGE_LOCAL_EE)
			found.of_server += !(question->flags & DANE_VFLAG_ONLY_CHECK_CA_USAGE);
		else if (usage == DANE_CERT_USAGE_CA || usage == DANE_CERT_USAGE_LOCAL_CA)
			found.of_authority += !(question->flags & DANE_VFLAG_ONLY_CHECK_EE_USAGE);
	}
	return found;
}

/* Are these the certificates of `session`'s server? */
static bool is_servers(const struct gnutls_library *library, gnutls_session_t session,
		       const struct dane_question *question)
{
	unsigned count = 0;
	const gnutls_datum_t *chain = library->gnutls_certificate_get_peers(session, &count);

	return chain && count > 0 && question->chain && question->chain_size > 0 &&
	       question->chain[0].size == chain[0].size &&
	       memcmp(question->chain[0].data, chain[0].data, chain[0].size) == 0;
}

void gnutls_dane_answered(const struct gnutls_library *library, const struct dane_library *dane,
			  gnutls_session_t session, const struct dane_question *question,
			  int result, const unsigned *status)
{
	const bool is_last_used = session == NULL;
	struct relevant records = {0, 1};

	if (is_last_used)
		session = gnutls_verification_session();
	if (result < 0 || !status || !session || !library ||
	    (is_last_used && !is_servers(library, session, question)))
		return;
	if (question->records)
		records = relevant_records(dane, question);
	/* Nothing to hold it against, and so nothing found wrong. */
	if (records.of_server + records.of_authority == 0)
		return;
	gnutls_verification_dane(library, session, *status == 0, records.of_authority == 0);
}
