/*
 * Hooks in front of the functions of a TLS library, of any number of copies of
 * it, in whatever way it came into the process.
 *
 * These hooks are no symbols of ours: a symbol would be found by programs that
 * only ask whether there is such a function (dlsym, weak references), would
 * stand in the way of other interposers, and would have to guess which of two
 * libraries its caller is bound to. So the loader binds everything as it would
 * without us. Then the slots of the callers are looked at (import_slots.h), and
 * those that hold the address of such a library's function get the hook's. What
 * was in the slot is the real function: nothing is guessed.
 *
 * That happens at the start for all that is loaded by then, and for a library
 * that is loaded later when its loader first asks it for a symbol.
 */
#ifndef TLSWITNESS_LIBRARY_HOOKS_H
#define TLSWITNESS_LIBRARY_HOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shim/base/loaded_objects.h"

/* More than one libssl in a process is rare, more than two unheard of. */
#define LIBRARY_COPIES_MAX 6

/* The objects that call such libraries, counted only to tell several copies apart. */
#define LIBRARY_CALLERS_MAX 128

/* A function of the library, and the place of its pointer in the library's table. */
struct library_function {
	const char *name;
	size_t offset;
	uintptr_t hook; /* what stands in front of it; 0: we only call it */
};

struct library_copy {
	const ElfW(Dyn) * dynamic; /* its object is known by this */
	uintptr_t apart;           /* where it is loaded, if in another name space; else 0 */
	_Atomic bool ready;        /* else the place is free */
};

struct library_caller {
	_Atomic uintptr_t start; /* of the calling object; 0: free */
	_Atomic uintptr_t end;
	_Atomic unsigned copy;
	/* Only where the loader's lock is held: */
	bool apart; /* of another name space */
	bool met;   /* it is loaded still */
};

/* What library_hooks.c keeps of one kind of library. */
struct library_state {
	_Atomic(void *) only; /* the table of the only copy, if there is only one */
	struct library_copy copies[LIBRARY_COPIES_MAX];
	struct library_caller callers[LIBRARY_CALLERS_MAX];
	unsigned callers_most; /* behind that many there never was one; with the loader's lock held
				*/
};

/*
 * A kind of library. One static variable for each, told by LIBRARY_FAMILY; constant, so that
 * the loader writes its pointers where it writes all others.
 */
struct library_family {
	/* Whatever defines this function is such a library. NULL: the C library, whose hooks
	   are symbols of ours and are only missed by what is bound deeply (RTLD_DEEPBIND). */
	const char *known_by;
	const struct library_function *functions;
	size_t function_count;
	void *tables; /* LIBRARY_COPIES_MAX tables of pointers, zeroed, one for each copy */
	size_t table_size;
	/*
	 * Completes the table of a copy, in which the functions that `object`
	 * defines are already filled in. False if this copy is not understood: no
	 * hook is put in front of it. With the loader's lock held.
	 */
	bool (*describe)(void *table, const struct loaded_object *object);
	struct library_state *state; /* zeroed */
};

/* By a section and not by a call, because a hook may be called before any constructor of ours. */
#define LIBRARY_FAMILY(family)                                  \
	static const struct library_family *const family##_told \
		__attribute__((section("library_families"), used)) = &(family)

/*
 * Once, before main: puts the hooks in place and keeps them so from now on, or,
 * where nothing is to be watched, never does.
 */
void library_hooks_start(bool on);

/*
 * The table of the copy that a hook's caller is bound to, by the hook's return
 * address. NULL if there is none any more. Lock-free.
 */
void *library_hooks_table_of(const struct library_family *family, const void *return_address);

static inline void *library_hooks_table(const struct library_family *family,
					const void *return_address)
{
	void *only = atomic_load_explicit(&family->state->only, memory_order_acquire);

	return only ? only : library_hooks_table_of(family, return_address);
}

/* Fills in the pointers of the functions that `object` defines, and only those. */
void library_functions_fill(void *table, const struct library_function *functions, size_t count,
			    const struct loaded_object *object);

/* ---- for the hooks of the loader ---- */

/* Can there be a hook for a function of this name, in any family? */
bool library_hooks_know(const char *name);

/*
 * The library that is `map` to the loader was loaded, by RTLD_DEEPBIND if
 * `deeply`, and is about to be asked for a symbol: hooks are put in place in it
 * and in what it needs.
 */
void library_hooks_loaded(const struct link_map *map, bool deeply);

/* Something may have been unloaded: no pointer to it is kept. */
void library_hooks_unloaded(void);

/*
 * The hook in front of the function `name` at `address`, which `caller` has
 * asked for by name; NULL if there is none, or if calls from there would reach
 * another copy.
 */
void *library_hooks_of(const char *name, const void *address, const void *caller);

/* As library_hooks_of, for what RTLD_DEFAULT and RTLD_NEXT would find for `caller`. */
void *library_hooks_default(const char *name, const void *caller);
void *library_hooks_next(const char *name, const void *caller);

#endif
