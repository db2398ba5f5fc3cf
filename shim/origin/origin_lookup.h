/*
 * Finds an interpreter's functions among the loaded objects, and remembers
 * them, or that there are none, without a lock.
 */
#ifndef TLSWITNESS_ORIGIN_LOOKUP_H
#define TLSWITNESS_ORIGIN_LOOKUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ORIGIN_SYMBOLS_MAX 28

/* One interpreter's functions. The first two members are constants, the rest start as zero. */
struct origin_symbols {
	/*
	 * The names, ended by NULL. The first one tells whether the interpreter is
	 * loaded, and in which object. A name that begins with '?' may be missing;
	 * one that begins with '=' is a variable and may be missing too, and one that
	 * begins with '+' is a function of whichever object has it (libc).
	 */
	const char *const *names;

	_Atomic uint32_t sequence; /* odd while a thread writes what follows */
	_Atomic(void *) address[ORIGIN_SYMBOLS_MAX];
	_Atomic(const void *) object; /* what it is known by; NULL if not found */
	_Atomic uintptr_t last;       /* a mark of what was loaded when it was not found */
	_Atomic uintptr_t inside;
};

/*
 * Fills `address` in the order of the names; what may be missing and is, is
 * NULL. False if the interpreter is not loaded.
 *
 * The first call looks through all loaded objects. After that it costs a copy
 * where the interpreter is there (once it has been unloaded, it is looked for
 * again), and a look at the loader's last entry where it is not: it is looked
 * for again when objects were loaded since. Never waits for another thread.
 */
bool origin_symbols_find(struct origin_symbols *symbols, void **address);

#endif
