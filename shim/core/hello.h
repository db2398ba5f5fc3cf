/*
 * The ClientHellos that a TLS library has made and whose handshake it will
 * report: by their random the bytes on the wire are known as its own. Below
 * both connections and the libraries' objects. Within the guard.
 */
#ifndef TLSWITNESS_HELLO_H
#define TLSWITNESS_HELLO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/wire/tls_wire.h"

/*
 * Expects a ClientHello with this random. `settled` becomes true if the
 * handshake gets its record without its library. False if there is no room.
 */
bool hello_expect(const uint8_t random[TLS_RANDOM_SIZE], _Atomic bool *settled);

bool hello_is_expected(const uint8_t random[TLS_RANDOM_SIZE]);

/* Its handshake has its record. */
void hello_settle(const uint8_t random[TLS_RANDOM_SIZE]);

/* The one that `settled` was handed in with is expected no longer. */
void hello_forget(const _Atomic bool *settled);

#endif
