/*
 * The ClientHellos that a TLS library has made and whose handshake it will
 * report: by their random the bytes on the wire are known as its own. Below
 * both connections and the libraries' objects. Thread-safe.
 */
#ifndef TLSWITNESS_HELLO_H
#define TLSWITNESS_HELLO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shim/wire/tls_wire.h"

/* In the place of a number: none. */
#define HELLO_NONE UINT32_MAX

/*
 * Expects a ClientHello with this random. `settled` becomes true if the
 * handshake gets its record without its library. HELLO_NONE if no memory can be
 * had.
 */
uint32_t hello_expect(const uint8_t random[TLS_RANDOM_SIZE], _Atomic bool *settled);

bool hello_is_expected(const uint8_t random[TLS_RANDOM_SIZE]);

/* Its handshake has its record. */
void hello_settle(const uint8_t random[TLS_RANDOM_SIZE]);

/* It is expected no longer. HELLO_NONE is let be. */
void hello_forget(uint32_t number);

#endif
