/*
 * Asks GnuTLS, by its own public functions. Those are asked that allocate
 * nothing and, where the answer is there, say nothing to a debug log.
 */
#include "shim/gnutls/gnutls_facts.h"

#include <string.h>

#include "shim/base/text.h"
#include "shim/core/recorder.h"
#include "shim/wire/certificate_name.h"

/* gnutls_session_get_verify_cert_status: the library was not told to verify. */
#define NOT_VERIFIED ((unsigned)-1)

/* ---- what was negotiated ---- */

/* gnutls_group_t: the named groups that GnuTLS can negotiate (gnutls.h, RFC 8446, 4.2.7). */
static const struct {
	unsigned number;
	uint16_t group;
} groups[] = {
	{1, 21},    {2, 23},      {3, 24},     {4, 25},     {5, 19},     {6, 29},
	{13, 38},   {14, 39},     {15, 40},    {16, 34},    {17, 35},    {18, 36},
	{19, 37},   {20, 30},     {256, 256},  {257, 257},  {258, 258},  {259, 260},
	{260, 259}, {512, 25497}, {513, 4587}, {514, 4588}, {518, 4589},
};

static uint16_t negotiated_group(const struct gnutls_library *library, gnutls_session_t session)
{
	unsigned number = library->gnutls_group_get ? library->gnutls_group_get(session) : 0;

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].number == number)
			return groups[i].group;
	}
	return 0;
}

/*
 * The number of the suite, which GnuTLS tells by its parts: up to 1.2 these are
 * key exchange, cipher and MAC, in 1.3 there is no key exchange in it.
 */
static uint16_t negotiated_cipher(const struct gnutls_library *library, gnutls_session_t session)
{
	const bool is_1_3 = library->gnutls_protocol_get_version(session) == GNUTLS_TLS1_3;
	const unsigned kx = is_1_3 ? GNUTLS_KX_UNKNOWN : library->gnutls_kx_get(session);
	const unsigned cipher = library->gnutls_cipher_get(session);
	const unsigned mac = library->gnutls_mac_get(session);
	unsigned char id[2];
	unsigned with_kx;
	unsigned with_cipher;
	unsigned with_mac;
	unsigned least;

	for (size_t i = 0;
	     library->gnutls_cipher_suite_info(i, id, &with_kx, &with_cipher, &with_mac, &least);
	     i++) {
		if (with_kx == kx && with_cipher == cipher && with_mac == mac &&
		    (least == GNUTLS_TLS1_3) == is_1_3)
			return (uint16_t)(id[0] << 8 | id[1]);
	}
	return 0;
}

static void read_session(struct library_view *view, const struct gnutls_library *library,
			 gnutls_session_t session)
{
	view->version = gnutls_version_on_wire(library->gnutls_protocol_get_version(session));
	view->cipher = negotiated_cipher(library, session);
	view->group = negotiated_group(library, session);
	view->resumed = library->gnutls_session_is_resumed(session) ? RECORD_TRUE : RECORD_FALSE;
}

/* ---- the certificate ---- */

/* The server's own; `facts` points into the session. */
static bool read_peer(struct certificate_facts *facts, const struct gnutls_library *library,
		      gnutls_session_t session)
{
	unsigned count = 0;
	const gnutls_datum_t *chain = library->gnutls_certificate_get_peers(session, &count);

	return chain && count > 0 && certificate_read(facts, chain[0].data, chain[0].size);
}

static void read_certificate(struct library_view *view, const struct gnutls_library *library,
			     gnutls_session_t session)
{
	struct certificate_facts facts;

	if (!read_peer(&facts, library, session))
		return;
	certificate_name_write(view->subject, sizeof(view->subject), facts.subject,
			       facts.subject_length);
	certificate_name_write(view->issuer, sizeof(view->issuer), facts.issuer,
			       facts.issuer_length);
	certificate_time_write(view->not_after, facts.not_after, facts.not_after_length,
			       facts.not_after_generalized);
}

/* RFC 8460, 4.3: the result type that a certificate's status belongs to, its worst part first. */
static enum record_reason failure_of(unsigned status)
{
	if (status & (GNUTLS_CERT_SIGNER_NOT_FOUND | GNUTLS_CERT_SIGNER_NOT_CA))
		return RECORD_REASON_CERTIFICATE_NOT_TRUSTED;
	if (status & GNUTLS_CERT_EXPIRED)
		return RECORD_REASON_CERTIFICATE_EXPIRED;
	if (status & GNUTLS_CERT_UNEXPECTED_OWNER)
		return RECORD_REASON_CERTIFICATE_HOST_MISMATCH;
	return RECORD_REASON_VALIDATION_FAILURE;
}

/*
 * GnuTLS finds nothing wrong with a date when it was told not to look at dates
 * (GNUTLS_VERIFY_DISABLE_TIME_CHECKS). Whoever does that looks by itself, or
 * takes what has expired. (GnuTLS has a call that tells the end; it takes the
 * certificate apart as a whole for it, at a twentieth of a handshake's cost.)
 */
static bool is_expired(const struct gnutls_library *library, gnutls_session_t session)
{
	struct certificate_facts facts;
	struct timespec now;
	int64_t end;

	if (!read_peer(&facts, library, session) ||
	    !certificate_time_seconds(&end, facts.not_after, facts.not_after_length,
				      facts.not_after_generalized))
		return false;
	recorder_now(&now);
	return end < now.tv_sec;
}

void gnutls_facts_status(struct certificate_checks *checks, const struct gnutls_library *library,
			 gnutls_session_t session, unsigned status, bool named)
{
	unsigned of_chain;

	if (!(status & ~(unsigned)(GNUTLS_CERT_INVALID | GNUTLS_CERT_UNEXPECTED_OWNER)) &&
	    is_expired(library, session))
		status |= GNUTLS_CERT_EXPIRED;
	of_chain = status & ~(unsigned)GNUTLS_CERT_UNEXPECTED_OWNER;
	/* GNUTLS_CERT_INVALID alone sums up the others. */
	checks->chain = (of_chain & ~(unsigned)GNUTLS_CERT_INVALID) ||
					(of_chain && !(status & GNUTLS_CERT_UNEXPECTED_OWNER))
				? CHECK_FAILED
				: CHECK_PASSED;
	if (named)
		checks->name = status & GNUTLS_CERT_UNEXPECTED_OWNER ? CHECK_FAILED : CHECK_PASSED;
	checks->failure = status ? failure_of(status) : RECORD_REASON_UNKNOWN;
}

void gnutls_facts_verified(struct certificate_checks *checks, const struct gnutls_library *library,
			   gnutls_session_t session, const struct gnutls_client *client)
{
	unsigned status = NOT_VERIFIED;

	if (library->gnutls_session_get_verify_cert_status)
		status = library->gnutls_session_get_verify_cert_status(session);
	if (status != NOT_VERIFIED)
		gnutls_facts_status(checks, library, session, status, client->names_checked);
}

/* ---- why it failed ---- */

/*
 * What came was no TLS, or nothing came. The wire says what it was in better
 * words: that the server has hung up, say, and not that a packet is too short.
 */
static bool is_of_transport(int error)
{
	switch (error) {
	case GNUTLS_E_PUSH_ERROR:
	case GNUTLS_E_PULL_ERROR:
	case GNUTLS_E_PREMATURE_TERMINATION:
	case GNUTLS_E_UNEXPECTED_PACKET:
	case GNUTLS_E_UNEXPECTED_PACKET_LENGTH:
		return true;
	default:
		return false;
	}
}

static void explain_failure(struct library_view *view, const struct gnutls_library *library,
			    gnutls_session_t session, int error)
{
	const char *words = library->gnutls_strerror(error);
	const char *alert;

	if (is_of_transport(error) || !words)
		return;
	text_append(view->reason, sizeof(view->reason), words);
	if (error != GNUTLS_E_FATAL_ALERT_RECEIVED)
		return;
	alert = library->gnutls_alert_get_name(library->gnutls_alert_get(session));
	text_append(view->reason, sizeof(view->reason), " (");
	text_append(view->reason, sizeof(view->reason), alert ? alert : "unknown");
	text_append(view->reason, sizeof(view->reason), ")");
}

static void read_priorities(struct library_view *view, const struct gnutls_client *client)
{
	const struct gnutls_priorities *priorities = client->priorities;

	if (!priorities)
		return;
	view->lowest = gnutls_versions_lowest(client->versions);
	view->highest = gnutls_versions_highest(client->versions);
	/* The library's own default is no setting of the application's. */
	if (!priorities->text)
		return;
	view->configured_min = gnutls_versions_lowest(priorities->versions);
	view->configured_max = gnutls_versions_highest(priorities->versions);
}

void gnutls_facts(struct library_view *view, const struct gnutls_library *library,
		  gnutls_session_t session, const struct gnutls_client *client, int error)
{
	memset(view, 0, sizeof(*view));
	recorder_now(&view->ended);
	view->witness = WITNESS_GNUTLS;
	memcpy(view->name, library->name, sizeof(view->name));
	view->established = error == 0;
	read_priorities(view, client);
	setting_ids_of(view->setting_ids, session, client->cache);
	if (view->established) {
		read_session(view, library, session);
		read_certificate(view, library, session);
	} else {
		explain_failure(view, library, session, error);
	}
}
