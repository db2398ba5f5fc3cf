/*
 * The event loop. A lane is one address with all that is to be asked there: its targets differ in
 * port and host, and each is asked for one version after another, the highest first. Servers take
 * parallel connections for an attack and answer them with 421 or silence.
 */
#include "tools/probe/probe_run.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tools/base/progress.h"
#include "tools/base/table.h"
#include "tools/probe/probe_connection.h"

struct lane {
	struct probe_target **target;
	size_t target_count;
	size_t current; /* target */
	size_t left;    /* versions of it that are still to be asked for; the next is left - 1 */
	bool by_hand;   /* the next connection sends a ClientHello of ours in any case */
	int64_t not_before;                  /* of the next connection */
	struct probe_connection *connection; /* NULL: none now */
};

struct run {
	const struct probe *probe;
	SSL_CTX *context;
	struct probe_verifier *verifier;
	struct lane *lane;
	size_t lane_count;
	size_t active;
	size_t versions_done;
	struct progress progress;
};

static bool same_address(const struct sockaddr_storage *one, const struct sockaddr_storage *other)
{
	if (one->ss_family != other->ss_family)
		return false;
	if (one->ss_family == AF_INET6)
		return memcmp(&((const struct sockaddr_in6 *)one)->sin6_addr,
			      &((const struct sockaddr_in6 *)other)->sin6_addr,
			      sizeof(struct in6_addr)) == 0;
	return ((const struct sockaddr_in *)one)->sin_addr.s_addr ==
	       ((const struct sockaddr_in *)other)->sin_addr.s_addr;
}

static void add_to_lane(struct run *run, struct probe_target *target)
{
	struct lane *lane = NULL;

	for (size_t i = 0; i < run->lane_count && lane == NULL; i++) {
		if (same_address(&run->lane[i].target[0]->address, &target->address))
			lane = &run->lane[i];
	}
	if (lane == NULL) {
		lane = &run->lane[run->lane_count++];
		*lane = (struct lane){.left = PROBE_VERSIONS};
	}
	lane->target = table_resize(lane->target,
				    (lane->target_count + 1) * sizeof(struct probe_target *));
	lane->target[lane->target_count++] = target;
}

static bool is_done(const struct lane *lane)
{
	return lane->current == lane->target_count;
}

static void begin(struct run *run, struct lane *lane)
{
	struct probe_target *target = lane->target[lane->current];
	size_t version = lane->left - 1;
	/* OpenSSL speaks as long as the certificate is not known; it has no SSL 3.0. */
	bool by_library = !lane->by_hand && version > 0 && !target->certificate.known;

	lane->connection = table_allocate(sizeof(*lane->connection));
	probe_connection_begin(lane->connection, &run->probe->settings, target, version,
			       by_library ? run->context : NULL);
	run->active++;
}

/* ---- what came of a connection ---- */

static void set_verdict(struct probe_target *target, size_t version, enum probe_result result,
			const char *how)
{
	target->verdict[version].result = result;
	probe_words(target->verdict[version].how, "%s", how);
}

static void note_accepted(struct run *run, const struct probe_connection *connection)
{
	struct probe_target *target = connection->target;
	struct probe_verdict *verdict = &target->verdict[connection->version];

	set_verdict(target, connection->version, PROBE_ACCEPTED, connection->how);
	verdict->cipher = connection->answer.cipher;
	verdict->group = connection->answer.group;
	if (connection->handshake_done)
		probe_certificate_judge(target, connection->ssl, run->verifier);
	else if (connection->trouble[0] != '\0' && !target->certificate.known)
		probe_words(target->certificate.reason, "not known, the handshake failed: %s",
			    connection->trouble);
}

/* Silence alone is no refusal: only where the server does answer another ClientHello. */
static void settle_silence(struct probe_target *target)
{
	bool answers = false;

	for (size_t i = 0; i < PROBE_VERSIONS; i++)
		answers = answers || target->verdict[i].result == PROBE_ACCEPTED ||
			  target->verdict[i].result == PROBE_REFUSED;
	for (size_t i = 0; answers && i < PROBE_VERSIONS; i++) {
		struct probe_verdict *verdict = &target->verdict[i];
		if (verdict->silent)
			verdict->result = PROBE_REFUSED;
	}
}

/* False if the same version has to be asked for again. */
static bool note(struct run *run, struct lane *lane)
{
	const struct probe_connection *connection = lane->connection;
	struct probe_target *target = connection->target;
	size_t version = connection->version;

	lane->by_hand = false;
	switch (connection->outcome) {
	case PROBE_OUTCOME_ACCEPTED:
		note_accepted(run, connection);
		break;
	case PROBE_OUTCOME_REFUSED:
		set_verdict(target, version, PROBE_REFUSED, connection->how);
		break;
	case PROBE_OUTCOME_SILENT:
		set_verdict(target, version, PROBE_NOT_TESTED, connection->how);
		target->verdict[version].silent = true;
		break;
	case PROBE_OUTCOME_NOT_TESTED:
		set_verdict(target, version, PROBE_NOT_TESTED, connection->how);
		break;
	case PROBE_OUTCOME_HOPELESS:
		for (size_t i = 0; i <= version; i++)
			set_verdict(target, i, PROBE_NOT_TESTED, connection->how);
		run->versions_done += lane->left - 1;
		lane->left = 1;
		break;
	case PROBE_OUTCOME_ASK_BY_HAND:
		if (!target->certificate.known)
			probe_words(target->certificate.reason,
				    "not known, OpenSSL's handshake failed: %s", connection->how);
		lane->by_hand = true;
		return false;
	case PROBE_OUTCOME_UNSUPPORTED_HERE:
		set_verdict(target, version, PROBE_UNSUPPORTED_HERE, connection->how);
		break;
	}
	return true;
}

static void finish(struct run *run, struct lane *lane)
{
	if (note(run, lane)) {
		lane->left--;
		run->versions_done++;
	}
	probe_connection_close(lane->connection);
	free(lane->connection);
	lane->connection = NULL;
	run->active--;
	lane->not_before = probe_now() + run->probe->settings.delay_ms;
	if (lane->left > 0)
		return;
	settle_silence(lane->target[lane->current]);
	lane->current++;
	lane->left = PROBE_VERSIONS;
}

/* ---- the loop ---- */

/* Begins what may begin; returns when something has to be looked at again, INT64_MAX for never. */
static int64_t begin_due(struct run *run, int64_t now)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < run->lane_count; i++) {
		struct lane *lane = &run->lane[i];

		/* What ends at once, as a connection to nobody does, is followed by the next. */
		while (lane->connection == NULL && !is_done(lane) && lane->not_before <= now &&
		       run->active < run->probe->settings.parallel) {
			begin(run, lane);
			if (lane->connection->step == PROBE_STEP_ENDED)
				finish(run, lane);
		}
		if (lane->connection != NULL) {
			if (lane->connection->deadline < next)
				next = lane->connection->deadline;
		} else if (!is_done(lane) && run->active < run->probe->settings.parallel &&
			   lane->not_before < next) {
			next = lane->not_before;
		}
	}
	return next;
}

static void go_on(struct run *run, struct lane *lane, short events, int64_t now)
{
	struct probe_connection *connection = lane->connection;

	if (events != 0)
		probe_connection_go_on(connection, events);
	if (connection->step != PROBE_STEP_ENDED && now >= connection->deadline)
		probe_connection_expire(connection);
	if (connection->step == PROBE_STEP_ENDED)
		finish(run, lane);
}

static void wait_for_servers(struct run *run, struct pollfd *polled, struct lane **waiting,
			     int64_t until)
{
	size_t count = 0;
	int64_t patience = until - probe_now();

	for (size_t i = 0; i < run->lane_count; i++) {
		struct lane *lane = &run->lane[i];

		if (lane->connection == NULL)
			continue;
		polled[count] =
			(struct pollfd){.fd = lane->connection->descriptor,
					.events = probe_connection_events(lane->connection)};
		waiting[count++] = lane;
	}
	/* A second at most, for the progress line. */
	patience = patience < 0 ? 0 : patience > 1000 ? 1000 : patience;
	if (poll(polled, count, (int)patience) < 0)
		return;
	int64_t now = probe_now();
	for (size_t i = 0; i < count; i++)
		go_on(run, waiting[i], polled[i].revents, now);
}

static void run_lanes(struct run *run)
{
	struct pollfd *polled = table_allocate((run->lane_count + 1) * sizeof(polled[0]));
	struct lane **waiting = table_allocate((run->lane_count + 1) * sizeof(struct lane *));
	size_t versions = 0;

	for (size_t i = 0; i < run->lane_count; i++)
		versions += run->lane[i].target_count * PROBE_VERSIONS;
	progress_begin(&run->progress);
	while (run->versions_done < versions) {
		int64_t until = begin_due(run, probe_now());

		if (run->versions_done < versions)
			wait_for_servers(run, polled, waiting, until);
		progress_count(&run->progress, "versions", run->versions_done, versions);
	}
	progress_end(&run->progress);
	free(polled);
	free(waiting);
}

void probe_run(struct probe *probe, SSL_CTX *context, struct probe_verifier *verifier)
{
	struct run run = {.probe = probe, .context = context, .verifier = verifier};

	run.lane = table_allocate((probe->target_count + 1) * sizeof(run.lane[0]));
	for (size_t i = 0; i < probe->target_count; i++) {
		if (probe->target[i].address.ss_family != AF_UNSPEC)
			add_to_lane(&run, &probe->target[i]);
	}
	run_lanes(&run);
	for (size_t i = 0; i < run.lane_count; i++)
		free(run.lane[i].target);
	free(run.lane);
}
