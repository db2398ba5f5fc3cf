/*
 * The server's certificate as it passes in the clear (TLS 1.0 to 1.2), for
 * connections of which no TLS library tells. Room for it is large and needed
 * for a moment only, so it is had apart, and given back; where no memory can be
 * had the record is without the certificate's names.
 */
#ifndef TLSWITNESS_WIRE_CERTIFICATE_H
#define TLSWITNESS_WIRE_CERTIFICATE_H

struct connection;

/* What is to be done about the room, outside the guard. */
enum wire_certificate_need {
	WIRE_CERTIFICATE_NOTHING,
	WIRE_CERTIFICATE_ROOM,  /* the next bytes may bring it */
	WIRE_CERTIFICATE_SPARE, /* it will not be needed any more */
};

/*
 * Within the guard, after bytes of TLS: if the certificate is there by now, its
 * names go to the connection.
 */
enum wire_certificate_need wire_certificate_read(struct connection *connection);

/* Outside the guard, because it may make a system call. */
void wire_certificate_provide(struct connection *connection, enum wire_certificate_need need);

/* The connection is no more. */
void wire_certificate_forget(struct connection *connection);

#endif
