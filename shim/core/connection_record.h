/*
 * What is known of a connection -> one record.
 */
#ifndef TLSWITNESS_CONNECTION_RECORD_H
#define TLSWITNESS_CONNECTION_RECORD_H

struct connection;

enum connection_event {
	EVENT_NONE,
	EVENT_HANDSHAKE,  /* TLS was begun; it succeeded or failed */
	EVENT_PLAINTEXT,  /* MAIL or AUTH went in the clear */
	EVENT_SESSION,    /* a clear session ended without either */
	EVENT_BLIND_SPOT, /* TLS was begun, but no witness reached its version */
};

/*
 * Writes the record of `event`. The connection is finished and referenced: its
 * members no longer change. Sets errno.
 */
void connection_record(const struct connection *connection, enum connection_event event);

/* At the end of the process: settings made after its last connection. */
void connection_record_finish(void);

#endif
