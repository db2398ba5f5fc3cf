#include "shim/core/wire_certificate.h"

#include <stdatomic.h>
#include <string.h>

#include "shim/core/connection_state.h"
#include "shim/core/join.h"

#define CERTIFICATES_MAX 32

static struct certificate_message certificates[CERTIFICATES_MAX];
static atomic_bool taken[CERTIFICATES_MAX];

static struct certificate_message *claim(void)
{
	for (int i = 0; i < CERTIFICATES_MAX; i++) {
		if (atomic_exchange(&taken[i], true))
			continue;
		memset(&certificates[i], 0, offsetof(struct certificate_message, beginning));
		return &certificates[i];
	}
	return NULL;
}

void wire_certificate_forget(struct connection *connection)
{
	if (connection->tls.certificate)
		atomic_store(&taken[connection->tls.certificate - certificates], false);
	connection->tls.certificate = NULL;
}

/* The ClientHello has passed, and the ServerHello has not: it is now or never. */
static bool is_time(const struct connection *connection)
{
	return connection->tls.progress == TLS_OFFERED && !connection->library_pending &&
	       connection_in_scope(connection);
}

void wire_certificate_want(struct connection *connection)
{
	if (!connection->tls.certificate && is_time(connection))
		connection->tls.certificate = claim();
}

static void write_facts(struct library_view *view, const struct certificate_facts *facts)
{
	certificate_name_write(view->subject, sizeof(view->subject), facts->subject,
			       facts->subject_length);
	certificate_name_write(view->issuer, sizeof(view->issuer), facts->issuer,
			       facts->issuer_length);
	certificate_time_write(view->not_after, facts->not_after, facts->not_after_length,
			       facts->not_after_generalized);
}

void wire_certificate_read(struct connection *connection)
{
	const struct certificate_message *certificate = connection->tls.certificate;
	struct certificate_facts facts;

	if (!certificate)
		return;
	if (certificate->complete) {
		if (!connection->library.witness && certificate_message_read(certificate, &facts))
			write_facts(&connection->library, &facts);
		wire_certificate_forget(connection);
	} else if (connection->tls.version == TLS_VERSION_1_3 ||
		   connection->tls.progress >= TLS_ESTABLISHED) {
		wire_certificate_forget(connection);
	}
}
