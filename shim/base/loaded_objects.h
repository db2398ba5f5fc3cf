/*
 * The loaded objects of this process and what they define, read from the
 * loader's tables. No libdl call that could allocate, move a reference count
 * or set dlerror(), all of which the host could notice.
 *
 * The loader's lock is held inside (dl_iterate_phdr), none of ours is.
 */
#ifndef TLSWITNESS_LOADED_OBJECTS_H
#define TLSWITNESS_LOADED_OBJECTS_H

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Valid as long as the object stays loaded. Absent tables are NULL. */
struct loaded_object {
	const char *path; /* "" for the main program */
	uintptr_t base;   /* what is added to the addresses in its tables */
	const ElfW(Dyn) * dynamic;
	const ElfW(Sym) * symbols;
	const char *strings;
	const uint32_t *gnu_hash;
	const char *soname;
};

/* Is `address` in this library, the recorder itself? */
bool loaded_objects_is_own(const void *address);

/* The object that holds `address`. */
bool loaded_objects_at(const void *address, struct loaded_object *object);

/*
 * The objects other than this library that define the function `symbol`, in
 * load order; fills at most `most` and returns how many were filled.
 */
unsigned loaded_objects_defining(const char *symbol, struct loaded_object *objects, unsigned most);

/* The first loaded object whose file name begins with `prefix` ("libgnutls.so"). */
bool loaded_objects_named(const char *prefix, struct loaded_object *object);

/* The address of a function that `object` itself defines, or NULL. */
void *loaded_object_function(const struct loaded_object *object, const char *symbol);

/* Does `object` need `other`, directly or through what it needs (DT_NEEDED)? */
bool loaded_object_needs(const struct loaded_object *object, const struct loaded_object *other);

#endif
