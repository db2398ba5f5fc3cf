/*
 * The recorder built by musl-gcc, in programs that were built by it: what it
 * records, by OpenSSL as a library and by the wire where OpenSSL is linked
 * into the program, and what it refuses. The suites opportunistic and
 * floor_openssl run with it as they are.
 *
 * TLSWITNESS_BUILD is where that recorder and those programs are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/integration/records.h"
#include "tests/integration/senders.h"
#include "tests/integration/trial.h"

TestSuite(musl, .init = harness_begin, .fini = harness_end, .timeout = 240);

struct client {
	const char *program; /* tests/programs/floor_client.c, linked in one of two ways */
	const char *witnesses;
	enum tls_mode mode;
};

static const struct client clients[] = {
	{"floor_client", "[\"openssl\",\"wire\"]", TLS_MODE_STARTTLS},
	{"floor_client", "[\"openssl\",\"wire\"]", TLS_MODE_IMPLICIT},
	{"floor_client_static", "[\"wire\"]", TLS_MODE_STARTTLS},
	{"floor_client_static", "[\"wire\"]", TLS_MODE_IMPLICIT},
};

#define CLIENTS (sizeof(clients) / sizeof(clients[0]))

/* It accepts any version, and limits itself in no way. */
static struct program client(const struct sink *sink, const void *row)
{
	const struct client *the_client = row;

	return (struct program){
		.argv = join_words(WORDS(program_path(the_client->program), "localhost",
					 text("%u", sink->port), tls_mode_name(the_client->mode),
					 sink->certificate, "nothing"),
				   NO_WORDS),
		.env = join_words(WORDS(old_tls_allowed()), NO_WORDS),
	};
}

static const char *const *sink_of(const struct client *row, const char *version)
{
	const char *tls = text("--tls=%s", version);

	return row->mode == TLS_MODE_IMPLICIT ? join_words(WORDS(tls, "--implicit"), NO_WORDS)
					      : join_words(WORDS(tls), NO_WORDS);
}

static bool is_recorded(const struct client *row, const char *version)
{
	struct trial trial = try_program(row->program, client, row, sink_of(row, version),
					 WORDS("--ports=25,PORT"));
	const json_t *record = json_array_get(trial.records, 0);
	const json_t *entry = json_array_get(trial.entries, 0);
	char *witnesses = json_dumps(json_object_get(record, "tlswitness.witness"), JSON_COMPACT);

	cr_expect_eq(trial.program.status, 0, "%s, TLS %s: %s%s", row->program, version,
		     trial.program.out, trial.program.err);
	cr_expect_eq(json_array_size(trial.records), 1, "%s, TLS %s", row->program, version);
	cr_expect_str_eq(witnesses, row->witnesses, "%s, TLS %s", row->program, version);
	free(witnesses);
	cr_expect_str_eq(field(entry, "version"), version);
	cr_expect_str_eq(field(record, "tls.version"), version, "%s", row->program);
	cr_expect_eq(number_field(record, "source.port"), number_field(entry, "peer_port"));
	return strcmp(field(entry, "version"), version) == 0 &&
	       strcmp(field(record, "tls.version"), version) == 0;
}

Test(musl, each_version_and_mode_is_recorded)
{
	static const char *const versions[] = {"1.0", "1.1", "1.2", "1.3"};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
		size_t right = 0;

		for (size_t j = 0; j < CLIENTS; j++)
			right += is_recorded(&clients[j], versions[i]);
		(void)fprintf(stderr, "matrix: %zu of %zu clients right, TLS %s\n", right, CLIENTS,
			      versions[i]);
	}
}

Test(musl, the_floor_holds_with_and_without_the_library)
{
	for (size_t i = 0; i < CLIENTS; i++) {
		struct trial trial = try_program(clients[i].program, client, &clients[i],
						 sink_of(&clients[i], "1.1"),
						 WORDS("--enforce", "--ports=25,PORT"));

		expect_nothing_below(&trial, "1.2");
		cr_expect_neq(trial.program.status, 0, "%s", clients[i].program);
		cr_expect_geq(json_array_size(trial.records), 1, "%s", clients[i].program);
		cr_expect_str_eq(field(json_array_get(trial.records, 0), "tlswitness.verdict"),
				 "refused", "%s", clients[i].program);
	}
}
