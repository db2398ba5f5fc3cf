/*
 * The server's certificate as it passes in the clear (TLS 1.0 to 1.2), for
 * connections of which no TLS library tells. Room for it is large and needed
 * for a moment only, so there is some for a few connections at a time; one that
 * finds none has a record without the certificate's names. Within the guard.
 */
#ifndef TLSWITNESS_WIRE_CERTIFICATE_H
#define TLSWITNESS_WIRE_CERTIFICATE_H

struct connection;

/* Before bytes of TLS: provides the room, if this connection may come to need it. */
void wire_certificate_want(struct connection *connection);

/* After them: if the certificate is there by now, its names go to the connection. */
void wire_certificate_read(struct connection *connection);

/* The connection is no more. */
void wire_certificate_forget(struct connection *connection);

#endif
