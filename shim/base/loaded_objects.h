/*
 * The loaded objects of this process and what they define, read from the
 * loader's tables. No libdl call that could allocate, move a reference count
 * or set dlerror(), all of which the host could notice.
 *
 * The loader's lock is held inside (dl_iterate_phdr), none of ours is: a thread
 * that is stopped there keeps the others from what needs it. So what is asked
 * for each connection is asked without it, where the C library can tell
 * (_dl_find_object, from glibc 2.35 on); and no signal handler comes in, which
 * could leave by longjmp and never give the lock back.
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
	const ElfW(Phdr) * segments;
	unsigned segment_count;
	const ElfW(Dyn) * dynamic;
	const ElfW(Sym) * symbols;
	const ElfW(Half) * versions; /* one for each symbol */
	const char *strings;
	const uint32_t *gnu_hash;
	const uint32_t *sysv_hash; /* where it has no gnu_hash */
	const char *soname;
	const struct link_map *apart; /* NULL: of the program's own name space (dlmopen(3)) */
};

/*
 * Whether signals are held back while the loader's lock is held: from the
 * program's start on, and not within a sandbox, which may forbid to ask for it.
 */
void loaded_objects_hold_signals(bool hold);

/* Is `address` in this library, the recorder itself? */
bool loaded_objects_is_own(const void *address);

/* How many objects were ever loaded into this process, and how many unloaded. */
struct loaded_objects_changes {
	uint64_t added;
	uint64_t removed;
};
struct loaded_objects_changes loaded_objects_changes(void);

/* Every object but this library and the kernel's, in load order, until `visit` says false. */
void loaded_objects_each(bool (*visit)(const struct loaded_object *object, void *data), void *data);

/* Where each object begins, the kernel's and this library included: all that is asked of it. */
void loaded_objects_each_start(void (*visit)(uintptr_t start, void *data), void *data);

/* As loaded_objects_each, only those that stand behind this library in load order. */
void loaded_objects_each_behind(bool (*visit)(const struct loaded_object *object, void *data),
				void *data);

/*
 * Calls `work` with the loader's lock held: no object comes or goes meanwhile. For
 * calls of the loader's (dlopen, dlsym), and before main.
 */
void loaded_objects_locked(void (*work)(void *data), void *data);

/* The object that holds `address`. */
bool loaded_objects_at(const void *address, struct loaded_object *object);

/*
 * The same of an object that stays loaded meanwhile, as a caller's does: without
 * the loader's lock if possible. Its segments are not told.
 */
bool loaded_objects_of_caller(const void *address, struct loaded_object *object);

/* What the object that holds `address` begins with, or NULL; without the lock if possible. */
const void *loaded_objects_name_at(const void *address);

/* Stands for all that was loaded at one moment. */
struct loaded_objects_mark {
	uintptr_t last;   /* the loader's last entry, or how many there ever were */
	uintptr_t inside; /* an address within that object; 0: the count is meant */
};
struct loaded_objects_mark loaded_objects_mark(void);

/* Has nothing come since? Without the lock if possible. */
bool loaded_objects_are_as(const struct loaded_objects_mark *mark);

/*
 * The objects other than this library that define the function `symbol`, in
 * load order; fills at most `most` and returns how many were filled.
 */
unsigned loaded_objects_defining(const char *symbol, struct loaded_object *objects, unsigned most);

/* The first of these objects that defines the function `symbol`. */
bool loaded_objects_first_defining(const struct loaded_object *objects, unsigned count,
				   const char *symbol, struct loaded_object *found);

/* The first loaded object whose file name begins with `prefix` ("libgnutls.so"). */
bool loaded_objects_named(const char *prefix, struct loaded_object *object);

/* The kernel's own (vdso(7)), which is in no scope; false: there is none. No system call. */
bool loaded_object_of_kernel(struct loaded_object *object);

/*
 * The address of the variable `name` that the whole process uses, or NULL: that
 * of the first object in load order which defines it (a main program that
 * refers to a library's variable has a copy of it).
 */
void *loaded_objects_variable(const char *name);

/* The address of a function that `object` itself defines, or NULL. */
void *loaded_object_function(const struct loaded_object *object, const char *symbol);

/*
 * The name of the function that `object` defines and `address` lies in, or the
 * nearest one before it; NULL if its symbols name none.
 */
const char *loaded_object_function_at(const struct loaded_object *object, const void *address);

/* Is `address` in it? */
bool loaded_object_holds(const struct loaded_object *object, const void *address);

/*
 * The object that the loader's entry `map` is of, where it belongs to another
 * name space than the program's. What is asked of it is answered from there.
 */
bool loaded_object_apart(const struct link_map *map, struct loaded_object *object);

/*
 * Is an object that was found apart, with these members, still there? Its memory
 * may be gone.
 */
bool loaded_object_apart_again(const ElfW(Dyn) * dynamic, uintptr_t base,
			       struct loaded_object *object);

/*
 * `from` and what it needs (DT_NEEDED), breadth first, until `visit` says false;
 * of another name space, `from` and all others.
 */
void loaded_object_each_needed(const struct loaded_object *from,
			       bool (*visit)(const struct loaded_object *object, void *data),
			       void *data);

/*
 * The first object that defines the function `symbol` among `from` and what it
 * needs (DT_NEEDED), in the loader's order: breadth first.
 */
bool loaded_object_needed_defining(const struct loaded_object *from, const char *symbol,
				   struct loaded_object *found);

#endif
