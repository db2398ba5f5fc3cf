/*
 * The join of the two witnesses: what a TLS library says of a handshake, to the
 * connection whose bytes were that handshake's. This and tls_object.h is all
 * that the witness of a TLS library needs of a connection.
 */
#ifndef TLSWITNESS_JOIN_H
#define TLSWITNESS_JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "shim/core/enforcement.h"
#include "shim/core/library_view.h"
#include "shim/origin/origin.h"

struct connection;

/*
 * The library has ended a handshake, one way or the other, over `fd` (-1: not
 * known). Finds the connection that it belongs to, by client random or else by
 * descriptor, or makes one, and takes the view and the origin (which may be
 * NULL) over. The connection is returned with a reference, to be given back by
 * connection_release; NULL if no memory can be had for one: then see
 * connection_refuses_unjoined.
 */
struct connection *connection_join(const struct library_view *view, int fd,
				   const struct origin *origin);

/*
 * A handshake that could not be joined for want of memory: it is counted as lost
 * if it may have been mail's. True if it must not go on: the library's object is
 * refused then.
 */
bool connection_refuses_unjoined(const struct library_view *view, int fd);

/* Gives a reference back; the last one settles what is still open. */
void connection_release(struct connection *connection);

/* Is it certain by now that this is mail, or that scope `all` wants it? */
bool connection_in_scope(const struct connection *connection);

/* Was it refused, by this witness or by the other? */
bool connection_is_blocked(const struct connection *connection);

/* The version that a joined connection's library has negotiated; 0: none. */
uint16_t connection_library_version(const struct connection *connection);

/* The first bytes inside TLS said that a joined connection is mail. */
void connection_found_mail_inside(struct connection *connection);

/*
 * What may be said of the server's certificate, and why, where it failed. Of a
 * connection whose record is not out: else it changes nothing.
 */
void connection_set_certificate(struct connection *connection, enum record_certificate judgement,
				enum record_reason failure);

/* What is held of a joined connection. */
struct enforcement_policy connection_policy(struct connection *connection);

/*
 * The handshake has succeeded, and its record waits for what the application
 * does next. It is written at the latest when nobody but the caller refers to
 * the connection, or when the process ends.
 */
void connection_wait(struct connection *connection);

/* Has the record of a joined connection written, once. */
void connection_record_handshake(struct connection *connection);

/*
 * Blocks a joined connection whose handshake ended below the floor: the
 * refusal is recorded, once, and the peer sees the connection end.
 */
void connection_refuse(struct connection *connection);

/* Nothing of it is to be recorded. */
void connection_ignore(struct connection *connection);

/*
 * Is a connection in scope about to begin TLS over `fd`, and what is held of it?
 * With -1, for a library that has no descriptor: is any, and none that is out of
 * scope or that another policy is for, or one to the server of this name? NULL:
 * no name is known.
 */
bool connection_expects_tls(int fd, const char *server_name, struct enforcement_policy *policy);

#endif
