/*
 * The handshake objects of TLS libraries (OpenSSL's SSL, GnuTLS's session) that
 * are under way or were recorded: what makes "exactly once" true, however a
 * handshake is driven and how often a library calls itself through our hooks.
 *
 * An object is used by one thread at a time (the libraries ask for that), so
 * its entry is that thread's.
 */
#ifndef TLSWITNESS_TLS_OBJECT_H
#define TLSWITNESS_TLS_OBJECT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/core/certificate_checks.h"
#include "shim/core/join.h"
#include "shim/origin/origin.h"
#include "shim/wire/smtp_dialogue.h"

struct tls_object {
	const void *object;
	_Atomic bool done;  /* this handshake has its record, or is none of ours */
	bool raised;        /* the floor took versions from it */
	bool raised_before; /* or from an earlier handshake of the object, which keeps its settings
			     */
	bool refused;       /* below the floor: every further call on it fails */
	struct asked_versions {
		bool known;
		uint16_t min; /* as the application set them, 0 where it did not */
		uint16_t max;
	} asked;
	bool random_known;
	uint8_t client_random[TLS_RANDOM_SIZE];
	uint64_t began;        /* recorder_clock() */
	uint32_t hello;        /* hello.h's number */
	pid_t owner;           /* the process that drove it last */
	struct origin *origin; /* who asked; NULL if not known */
	struct certificate_checks checks;
	uint64_t certificate; /* which is the server's; before the end, which was looked at; or 0 */
	/* After the handshake, while the record waits for the bytes inside; see inside.h: */
	struct connection *undecided;
	bool is_mail;      /* they need not say so */
	_Atomic bool busy; /* a thread looks at them: one that sends, or one that receives */
	struct smtp_dialogue inside;
};

/* The entry of `object`, or NULL. Lock-free. */
struct tls_object *tls_object_find(const void *object);

/* The entry of `object`, ready for a new handshake that begins now; NULL if no memory can be had.
 */
struct tls_object *tls_object_begin(const void *object);

/*
 * The entry of `object` for a handshake that has not begun, made if there is
 * none; NULL if no memory can be had.
 */
struct tls_object *tls_object_prepare(const void *object);

/*
 * Who asks for this connection, if that is not known yet: the script's frames,
 * else the native caller (thread_state.caller).
 */
void tls_object_capture_origin(struct tls_object *entry);

/* The library has made its ClientHello: a connection can now be found by it. */
void tls_object_set_random(struct tls_object *entry, const uint8_t random[TLS_RANDOM_SIZE]);

/* The handshake has its record, or needs none. */
void tls_object_set_done(struct tls_object *entry);

/* The object is no more. */
void tls_object_forget(struct tls_object *entry);

#endif
