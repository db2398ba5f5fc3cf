/*
 * Finds the copies of TLS libraries and the slots of their callers. All of that
 * happens with the loader's lock held, which also guards what is kept here;
 * only what a hook asks (library_hooks_table_of) is read without it.
 */
#include "shim/base/library_hooks.h"

#include <string.h>

#include "shim/base/import_slots.h"
#include "shim/base/start_page.h"
#include "shim/base/sys.h"

/* Set by the linker: what LIBRARY_FAMILY has told. */
extern const struct library_family *const __start_library_families[]
	__attribute__((visibility("hidden")));
extern const struct library_family *const __stop_library_families[]
	__attribute__((visibility("hidden")));

#define FAMILIES_COUNT                                                                \
	(((uintptr_t)__stop_library_families - (uintptr_t)__start_library_families) / \
	 sizeof(uintptr_t)) /* of pointers */

START_PAGE static _Atomic enum { UNDECIDED, ON, OFF } state;

/* ---- the names ---- */

#define NAMES_MAX    512
#define PREFIXES_MAX 8
#define PREFIX_SIZE  4 /* "SSL_", "BIO_", "gnut": what is compared first */

struct hooked_name {
	const struct library_function *function; /* NULL: free */
	const struct library_family *family;
	uint32_t hash;
};

static struct hooked_name names[NAMES_MAX];
static char prefixes[PREFIXES_MAX][PREFIX_SIZE];
static unsigned prefix_count;
static _Atomic bool names_ready;

static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261U;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 16777619U;
	return hash;
}

/* Without strncmp, which a host may bring itself and not have ready when it asks for names. */
static bool begins_with(const char *name, const char prefix[PREFIX_SIZE])
{
	for (unsigned i = 0; i < PREFIX_SIZE; i++) {
		if (name[i] != prefix[i])
			return false;
	}
	return true;
}

static bool is_same(const char *name, const char *other)
{
	while (*name && *name == *other) {
		name++;
		other++;
	}
	return *name == *other;
}

static bool has_known_prefix(const char *name)
{
	for (unsigned i = 0; i < prefix_count; i++) {
		if (begins_with(name, prefixes[i]))
			return true;
	}
	return false;
}

static void add_name(const struct library_family *family, const struct library_function *function)
{
	const uint32_t hash = hash_of(function->name);
	size_t at = hash % NAMES_MAX;

	while (names[at].function)
		at = (at + 1) % NAMES_MAX;
	names[at] = (struct hooked_name){function, family, hash};
	if (family->known_by && !has_known_prefix(function->name) && prefix_count < PREFIXES_MAX)
		memcpy(prefixes[prefix_count++], function->name, PREFIX_SIZE);
}

static void prepare_names(void)
{
	if (atomic_load(&names_ready))
		return;
	for (size_t i = 0; i < FAMILIES_COUNT; i++) {
		const struct library_family *family = __start_library_families[i];

		for (size_t j = 0; j < family->function_count; j++) {
			if (family->functions[j].hook)
				add_name(family, &family->functions[j]);
		}
	}
	atomic_store(&names_ready, true);
}

static void prepare_names_locked(void *data)
{
	(void)data;
	prepare_names();
}

static const struct hooked_name *find_name(const char *name)
{
	const uint32_t hash = hash_of(name);

	for (size_t at = hash % NAMES_MAX; names[at].function; at = (at + 1) % NAMES_MAX) {
		if (names[at].hash == hash && is_same(names[at].function->name, name))
			return &names[at];
	}
	return NULL;
}

/* ---- the objects that were seen completely loaded ---- */

#define SEEN_MAX 1024 /* what finds no room gets no hooks */

/* In load order. What is said of an object holds as long as it stays loaded. */
struct seen_object {
	struct loaded_object object;
	bool at_start; /* loaded before main, in the scope of everything */
	bool fresh;    /* its slots were not looked at yet */
	bool calls; /* one of them is for a function of a TLS library, whether there is one or not
		     */
};

static _Alignas(1024) struct seen_object seen[SEEN_MAX]; /* the first few on one page */
START_PAGE static unsigned seen_count;
START_PAGE static uint64_t seen_removed; /* loaded_objects_changes().removed at that time */

/* Or NULL. In order and not hashed: few processes need more than the first page. */
static struct seen_object *seen_as(const ElfW(Dyn) * dynamic)
{
	for (unsigned i = seen_count; i-- > 0;) {
		if (seen[i].object.dynamic == dynamic)
			return &seen[i];
	}
	return NULL;
}

static bool is_of_start(const struct loaded_object *object)
{
	const struct seen_object *entry = seen_as(object->dynamic);

	return entry && entry->at_start;
}

/* ---- the copies of a library ---- */

START_PAGE static unsigned copy_count; /* of all families */

static void *table_at(const struct library_family *family, unsigned copy)
{
	return (char *)family->tables + copy * family->table_size;
}

static uintptr_t pointer_in(const void *table, const struct library_function *function)
{
	uintptr_t pointer;

	memcpy(&pointer, (const char *)table + function->offset, sizeof(pointer));
	return pointer;
}

void library_functions_fill(void *table, const struct library_function *functions, size_t count,
			    const struct loaded_object *object)
{
	for (size_t i = 0; i < count; i++) {
		void *address = loaded_object_function(object, functions[i].name);

		if (address)
			memcpy((char *)table + functions[i].offset, &address, sizeof(address));
	}
}

static void count_copies(const struct library_family *family)
{
	void *only = NULL;
	unsigned count = 0;

	for (unsigned i = 0; i < LIBRARY_COPIES_MAX; i++) {
		if (atomic_load(&family->state->copies[i].ready)) {
			only = table_at(family, i);
			count++;
		}
	}
	atomic_store_explicit(&family->state->only, count == 1 ? only : NULL, memory_order_release);
}

static int copy_of_object(const struct library_family *family, const struct loaded_object *object)
{
	for (unsigned i = 0; i < LIBRARY_COPIES_MAX; i++) {
		if (atomic_load(&family->state->copies[i].ready) &&
		    family->state->copies[i].dynamic == object->dynamic)
			return (int)i;
	}
	return -1;
}

static bool is_a_copy(const struct loaded_object *object)
{
	for (size_t i = 0; i < FAMILIES_COUNT; i++) {
		if (copy_of_object(__start_library_families[i], object) >= 0)
			return true;
	}
	return false;
}

static int copy_with_function(const struct library_family *family,
			      const struct library_function *function, uintptr_t address)
{
	for (unsigned i = 0; address && i < LIBRARY_COPIES_MAX; i++) {
		if (atomic_load(&family->state->copies[i].ready) &&
		    pointer_in(table_at(family, i), function) == address)
			return (int)i;
	}
	return -1;
}

/* True if `object` is a library of this family that was not known before. */
static bool add_copy(const struct library_family *family, const struct loaded_object *object)
{
	void *table;
	unsigned copy = 0;

	if (!family->known_by || !loaded_object_function(object, family->known_by) ||
	    copy_of_object(family, object) >= 0)
		return false;
	while (copy < LIBRARY_COPIES_MAX && atomic_load(&family->state->copies[copy].ready))
		copy++;
	if (copy == LIBRARY_COPIES_MAX)
		return false;
	table = table_at(family, copy);
	memset(table, 0, family->table_size);
	library_functions_fill(table, family->functions, family->function_count, object);
	if (!family->describe(table, object))
		return false;
	family->state->copies[copy].dynamic = object->dynamic;
	family->state->copies[copy].apart = object->apart ? object->base : 0;
	atomic_store(&family->state->copies[copy].ready, true);
	copy_count++;
	count_copies(family);
	return true;
}

/* ---- who calls which copy ---- */

static void range_of(const struct loaded_object *object, uintptr_t *start, uintptr_t *end)
{
	*start = UINTPTR_MAX;
	*end = 0;
	for (unsigned i = 0; i < object->segment_count; i++) {
		const ElfW(Phdr) *segment = &object->segments[i];
		uintptr_t at = object->base + segment->p_vaddr;

		if (segment->p_type != PT_LOAD)
			continue;
		if (at < *start)
			*start = at;
		if (at + segment->p_memsz > *end)
			*end = at + segment->p_memsz;
	}
}

static int copy_for_caller(const struct library_family *family, uintptr_t address)
{
	for (unsigned i = 0; i < LIBRARY_CALLERS_MAX; i++) {
		const struct library_caller *caller = &family->state->callers[i];
		uintptr_t start = atomic_load_explicit(&caller->start, memory_order_acquire);

		if (start && address >= start && address < atomic_load(&caller->end))
			return (int)atomic_load(&caller->copy);
	}
	return -1;
}

static void add_caller(const struct library_family *family, const struct loaded_object *object,
		       int copy)
{
	struct library_state *state = family->state;
	unsigned free = LIBRARY_CALLERS_MAX;
	uintptr_t start;
	uintptr_t end;

	range_of(object, &start, &end);
	for (unsigned i = 0; i < LIBRARY_CALLERS_MAX; i++) {
		struct library_caller *caller = &state->callers[i];
		uintptr_t other = atomic_load(&caller->start);

		if (other == start) {
			caller->apart = object->apart != NULL;
			atomic_store(&caller->copy, (unsigned)copy);
			atomic_store(&caller->end, end);
			return;
		}
		if (other == 0 && free == LIBRARY_CALLERS_MAX)
			free = i;
	}
	if (free == LIBRARY_CALLERS_MAX)
		return;
	if (free >= state->callers_most)
		state->callers_most = free + 1;
	state->callers[free].apart = object->apart != NULL;
	atomic_store(&state->callers[free].copy, (unsigned)copy);
	atomic_store(&state->callers[free].end, end);
	atomic_store_explicit(&state->callers[free].start, start, memory_order_release);
}

void *library_hooks_table_of(const struct library_family *family, const void *return_address)
{
	int copy = copy_for_caller(family, (uintptr_t)return_address);

	for (unsigned i = 0; copy < 0 && i < LIBRARY_COPIES_MAX; i++) {
		if (atomic_load_explicit(&family->state->copies[i].ready, memory_order_acquire))
			copy = (int)i;
	}
	return copy >= 0 && atomic_load(&family->state->copies[copy].ready)
		       ? table_at(family, (unsigned)copy)
		       : NULL;
}

/* ---- what the loader would bind a name to ---- */

/* In the global scope, as it was at the start: behind `after`, or (NULL) all of it. */
static bool find_in_start(const char *name, const struct loaded_object *after,
			  struct loaded_object *found)
{
	bool passed = !after;

	for (unsigned i = 0; i < seen_count; i++) {
		const struct loaded_object *object = &seen[i].object;

		if (after && !passed)
			passed = object->dynamic == after->dynamic;
		else if (seen[i].at_start && loaded_object_function(object, name)) {
			*found = *object;
			return true;
		}
	}
	return false;
}

/* In the scope of `object`; what was loaded with RTLD_GLOBAL since the start is not in it. */
static bool find_in_scope(const struct loaded_object *object, const char *name,
			  struct loaded_object *found)
{
	return (!object->apart && find_in_start(name, NULL, found)) ||
	       loaded_object_needed_defining(object, name, found);
}

static bool is_c_library(const struct loaded_object *object)
{
	static const char *const sonames[] = {"libc.so", "libc.musl-", "libpthread.so"};

	for (size_t i = 0; object->soname && i < sizeof(sonames) / sizeof(sonames[0]); i++) {
		if (strncmp(object->soname, sonames[i], strlen(sonames[i])) == 0)
			return true;
	}
	return false;
}

/* ---- the slots ---- */

struct slots_of {
	const struct loaded_object *object;
	bool deeply;
	bool calls; /* found out: as in struct seen_object */
};

#define SCOPE_MAX 192

/* The object whose slots are looked at, and what it needs, once a slot has asked for that. */
static struct {
	bool known;
	unsigned count;
	struct loaded_object objects[SCOPE_MAX];
} scope;

static bool add_to_scope(const struct loaded_object *object, void *data)
{
	(void)data;
	scope.objects[scope.count++] = *object;
	return scope.count < SCOPE_MAX;
}

/* As find_in_scope, for the object whose slots are looked at, which may be bound deeply. */
static bool find_in_known_scope(const struct slots_of *of, const char *name,
				struct loaded_object *found)
{
	if (!of->object->apart && !of->deeply && find_in_start(name, NULL, found))
		return true;
	if (!scope.known) {
		scope.count = 0;
		loaded_object_each_needed(of->object, add_to_scope, NULL);
		scope.known = true;
	}
	return loaded_objects_first_defining(scope.objects, scope.count, name, found) ||
	       (!of->object->apart && of->deeply && find_in_start(name, NULL, found));
}

/* Is this slot not bound yet, so that it still leads into its own object? */
static bool is_unbound(const struct slots_of *of, const struct import_slot *slot, uintptr_t current)
{
	return slot->lazy && loaded_object_holds(of->object, (const void *)current);
}

/* For a slot of what is bound deeply, which passes by our own symbols. */
static uintptr_t hook_of_libc(const struct slots_of *of, const struct import_slot *slot,
			      const struct library_function *function)
{
	uintptr_t current = atomic_load(slot->at);
	struct loaded_object found;

	if (is_unbound(of, slot, current)) {
		if (!find_in_known_scope(of, slot->name, &found) || !is_c_library(&found))
			return 0;
	} else if (!loaded_objects_at((const void *)current, &found) || !is_c_library(&found)) {
		return 0;
	}
	return function->hook;
}

/* What is to stand in this slot; 0: what stands there. */
static uintptr_t hook_for_slot(const struct import_slot *slot, void *data)
{
	struct slots_of *of = data;
	const struct hooked_name *name;
	struct loaded_object found;
	uintptr_t current;
	int copy;

	if (!of->deeply && !has_known_prefix(slot->name))
		return 0;
	name = find_name(slot->name);
	if (!name)
		return 0;
	if (!name->family->known_by)
		return of->deeply ? hook_of_libc(of, slot, name->function) : 0;
	of->calls = true;
	current = atomic_load(slot->at);
	copy = copy_with_function(name->family, name->function, current);
	if (copy < 0 && is_unbound(of, slot, current) &&
	    (find_in_known_scope(of, slot->name, &found) ||
	     (!of->object->apart && loaded_objects_defining(slot->name, &found, 1) == 1)))
		copy = copy_with_function(name->family, name->function,
					  (uintptr_t)loaded_object_function(&found, slot->name));
	if (copy < 0)
		return 0;
	add_caller(name->family, of->object, copy);
	return name->function->hook;
}

static void hook_slots(struct seen_object *entry, bool deeply)
{
	struct slots_of of = {.object = &entry->object, .deeply = deeply};

	scope.known = false;
	prepare_names();
	/* What a library calls of itself is its own affair. */
	if (!is_a_copy(&entry->object))
		import_slots_set(&entry->object, hook_for_slot, &of);
	entry->calls |= of.calls;
}

/* ---- what comes, and what goes ---- */

struct look {
	bool at_start;
	bool deeply;
	bool fresh_copies;
};

static bool see_object(const struct loaded_object *object, void *data)
{
	struct look *look = data;

	if (loaded_objects_is_own(object->dynamic) || seen_as(object->dynamic))
		return true;
	if (seen_count < SEEN_MAX)
		seen[seen_count++] = (struct seen_object){
			.object = *object, .at_start = look->at_start, .fresh = true};
	for (size_t i = 0; i < FAMILIES_COUNT; i++)
		look->fresh_copies |= add_copy(__start_library_families[i], object);
	return true;
}

/* The slots of what is fresh; where a copy is, those of everything that was seen. */
static void look_at_slots(const struct look *look)
{
	for (unsigned i = 0; i < seen_count; i++) {
		if (seen[i].fresh || (look->fresh_copies && seen[i].calls))
			hook_slots(&seen[i], look->deeply && seen[i].fresh);
		seen[i].fresh = false;
	}
}

static void see_start(void *data)
{
	struct look look = {.at_start = true};

	(void)data;
	loaded_objects_each(see_object, &look);
	seen_removed = loaded_objects_changes().removed;
}

static void start(void *data)
{
	struct look look = {.fresh_copies = true};

	if (seen_count == 0)
		see_start(data);
	if (copy_count > 0)
		look_at_slots(&look);
}

void library_hooks_start(bool on)
{
	if (on)
		loaded_objects_locked(start, NULL);
	atomic_store(&state, on ? ON : OFF);
}

static bool is_there(const struct library_family *family, const struct library_copy *copy,
		     const void *table)
{
	struct loaded_object object;
	void *address;

	if (copy->apart
		    ? !loaded_object_apart_again(copy->dynamic, copy->apart, &object)
		    : !loaded_objects_at(copy->dynamic, &object) || object.dynamic != copy->dynamic)
		return false;
	address = loaded_object_function(&object, family->known_by);
	for (size_t i = 0; i < family->function_count; i++) {
		if (strcmp(family->functions[i].name, family->known_by) == 0)
			return pointer_in(table, &family->functions[i]) == (uintptr_t)address;
	}
	return false;
}

static void forget_copies(const struct library_family *family)
{
	for (unsigned i = 0; i < LIBRARY_COPIES_MAX; i++) {
		struct library_copy *copy = &family->state->copies[i];

		if (atomic_load(&copy->ready) && !is_there(family, copy, table_at(family, i))) {
			atomic_store(&copy->ready, false);
			copy_count--;
		}
	}
	count_copies(family);
}

/* A caller of the program's own name space is one of these objects; another's may be gone. */
static void meet_callers(uintptr_t start, void *data)
{
	(void)data;
	for (size_t i = 0; i < FAMILIES_COUNT; i++) {
		const struct library_family *family = __start_library_families[i];

		for (unsigned j = 0; j < family->state->callers_most; j++)
			family->state->callers[j].met |=
				atomic_load_explicit(&family->state->callers[j].start,
						     memory_order_relaxed) == start;
	}
}

static void forget_callers(const struct library_family *family)
{
	for (unsigned i = 0; i < family->state->callers_most; i++) {
		struct library_caller *caller = &family->state->callers[i];
		uintptr_t start = atomic_load(&caller->start);

		if (start && !caller->met && !(caller->apart && sys_is_mapped((const void *)start)))
			atomic_store(&caller->start, 0);
		caller->met = false;
	}
}

/* What was loaded at the start stays; of the rest no more is known than that it was loaded. */
static void forget_seen(void)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < seen_count; i++) {
		if (seen[i].at_start)
			seen[kept++] = seen[i];
	}
	seen_count = kept;
}

static void forget_unloaded(void *data)
{
	const uint64_t removed = loaded_objects_changes().removed;

	(void)data;
	if (removed == seen_removed)
		return;
	seen_removed = removed;
	loaded_objects_each_start(meet_callers, NULL);
	for (size_t i = 0; i < FAMILIES_COUNT; i++) {
		forget_copies(__start_library_families[i]);
		forget_callers(__start_library_families[i]);
	}
	forget_seen();
}

void library_hooks_unloaded(void)
{
	if (atomic_load(&state) == ON)
		loaded_objects_locked(forget_unloaded, NULL);
}

struct loaded {
	const struct link_map *map;
	bool deeply;
};

static void look_at_loaded(void *data)
{
	const struct loaded *loaded = data;
	struct look look = {.deeply = loaded->deeply};
	struct loaded_object object;

	forget_unloaded(NULL);
	if (seen_as(loaded->map->l_ld) || (!loaded_objects_at(loaded->map->l_ld, &object) &&
					   !loaded_object_apart(loaded->map, &object)))
		return;
	loaded_object_each_needed(&object, see_object, &look);
	if (loaded->deeply || copy_count > 0)
		look_at_slots(&look);
}

void library_hooks_loaded(const struct link_map *map, bool deeply)
{
	struct loaded loaded = {map, deeply};

	if (atomic_load(&state) == ON)
		loaded_objects_locked(look_at_loaded, &loaded);
}

/* ---- functions that are asked for by name ---- */

struct question {
	const char *name;
	const void *address; /* NULL: to be found in the caller's scope */
	const void *caller;
	bool next; /* behind the caller's own object */
	void *hook;
};

static void answer(void *data)
{
	struct question *question = data;
	const struct hooked_name *name = find_name(question->name);
	const void *address = question->address;
	struct loaded_object caller;
	struct loaded_object found;
	int known;
	int copy;

	if (!name || !name->family->known_by || !loaded_objects_at(question->caller, &caller))
		return;
	if (!address) {
		if (question->next ? !is_of_start(&caller) ||
					     !find_in_start(question->name, &caller, &found)
				   : !find_in_scope(&caller, question->name, &found))
			return;
		address = loaded_object_function(&found, question->name);
	}
	copy = copy_with_function(name->family, name->function, (uintptr_t)address);
	if (copy < 0 || is_a_copy(&caller))
		return;
	known = copy_for_caller(name->family, (uintptr_t)question->caller);
	if (known >= 0 && known != copy)
		return;
	add_caller(name->family, &caller, copy);
	question->hook = (void *)name->function->hook;
}

/* Before our start, too: another interposer's constructor may ask first. */
static void answer_early(void *data)
{
	if (seen_count == 0)
		see_start(NULL);
	answer(data);
}

static void *ask(struct question *question)
{
	loaded_objects_locked(atomic_load(&state) == ON ? answer : answer_early, question);
	return question->hook;
}

bool library_hooks_know(const char *name)
{
	if (atomic_load(&state) == OFF)
		return false;
	if (!atomic_load(&names_ready))
		loaded_objects_locked(prepare_names_locked, NULL);
	return has_known_prefix(name) && find_name(name) != NULL;
}

void *library_hooks_of(const char *name, const void *address, const void *caller)
{
	return ask(&(struct question){.name = name, .address = address, .caller = caller});
}

void *library_hooks_default(const char *name, const void *caller)
{
	return ask(&(struct question){.name = name, .caller = caller});
}

void *library_hooks_next(const char *name, const void *caller)
{
	return ask(&(struct question){.name = name, .caller = caller, .next = true});
}
