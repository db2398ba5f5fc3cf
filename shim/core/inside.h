/*
 * After a handshake: what its record still waits for. Whether this is mail can
 * be left to the first bytes inside TLS, and how the application checks the
 * server's certificate is over when it sends or reads the first of them.
 *
 * If these never come, the record is written with what is known when the
 * connection closes, the library's object is freed, or the process ends.
 */
#ifndef TLSWITNESS_INSIDE_H
#define TLSWITNESS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "shim/core/tls_object.h"
#include "shim/wire/smtp_dialogue.h"

/*
 * The handshake of `object` has succeeded, over a joined connection, whose
 * reference is taken over. Its record is written now or later, as the checks
 * of `object` and the connection's scope allow.
 */
void inside_begin(struct tls_object *object, struct connection *connection);

/* The checks of `object` have changed. At any time; also before the handshake's end. */
void inside_checked(struct tls_object *object);

/*
 * May these bytes be written inside TLS? False where they would make this mail
 * over a connection below the floor: it is refused then, and so is `object`.
 */
bool inside_may_write(struct tls_object *object, const void *bytes, size_t length);

/* Bytes have passed inside TLS, `from` the one side. False as for inside_may_write. */
bool inside_passed(struct tls_object *object, enum smtp_side from, const void *bytes,
		   size_t length);

#endif
