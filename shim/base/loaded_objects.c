/*
 * Walks the loader's list and the objects' symbol tables (ELF gABI, chapter 5;
 * the GNU hash table as ld and glibc agree on it).
 */
#include "shim/base/loaded_objects.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/auxv.h>

#include "shim/base/start_page.h"
#include "shim/base/sys.h"
#include "shim/base/thread.h"

#define ELF_PAGE_LEAST 4096

#define NEEDED_MAX 192 /* objects of one closure; what is beyond is not looked at */

/* Set by the linker: where this library begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

bool loaded_objects_is_own(const void *address)
{
	return (const char *)address >= __ehdr_start && (const char *)address < _end;
}

/*
 * glibc has added the load address to most pointers in the dynamic section, but
 * not on every architecture and never in the vDSO's.
 */
static const void *relocated(uintptr_t base, ElfW(Addr) address)
{
	return (const void *)(address < base ? base + address : address);
}

static void read_dynamic(struct loaded_object *object)
{
	ElfW(Xword) soname = 0;

	for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		const void *address = relocated(object->base, entry->d_un.d_ptr);

		switch (entry->d_tag) {
		case DT_SYMTAB:
			object->symbols = address;
			break;
		case DT_STRTAB:
			object->strings = address;
			break;
		case DT_GNU_HASH:
			object->gnu_hash = address;
			break;
		case DT_HASH:
			object->sysv_hash = address;
			break;
		case DT_VERSYM:
			object->versions = address;
			break;
		case DT_SONAME:
			soname = entry->d_un.d_val;
			break;
		default:
			break;
		}
	}
	object->soname = soname && object->strings ? object->strings + soname : NULL;
}

static void describe(struct loaded_object *object, const struct dl_phdr_info *info)
{
	memset(object, 0, sizeof(*object));
	object->path = info->dlpi_name ? info->dlpi_name : "";
	object->base = info->dlpi_addr;
	object->segments = info->dlpi_phdr;
	object->segment_count = info->dlpi_phnum;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			object->dynamic =
				(const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	}
	read_dynamic(object);
}

static bool segments_hold(const ElfW(Phdr) * segments, unsigned count, uintptr_t base,
			  const void *address)
{
	for (unsigned i = 0; i < count; i++) {
		const ElfW(Phdr) *segment = &segments[i];
		uintptr_t start = base + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && (uintptr_t)address >= start &&
		    (uintptr_t)address - start < segment->p_memsz)
			return true;
	}
	return false;
}

bool loaded_object_holds(const struct loaded_object *object, const void *address)
{
	return segments_hold(object->segments, object->segment_count, object->base, address);
}

static bool holds(const struct dl_phdr_info *info, const void *address)
{
	return segments_hold(info->dlpi_phdr, info->dlpi_phnum, info->dlpi_addr, address);
}

/* ---- symbols ---- */

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

/* The old hash function of the ELF gABI. */
static uint32_t sysv_hash(const char *name)
{
	uint32_t hash = 0;

	for (; *name; name++) {
		hash = (hash << 4) + (unsigned char)*name;
		hash ^= (hash >> 24) & 0xf0;
		hash &= 0x0fffffff;
	}
	return hash;
}

/* A symbol is looked for by its name and by whether it is a function or a variable. */
struct symbol_key {
	const char *name;
	unsigned type;
	uint32_t gnu_hash;
};

/* A version that is not the default one is only for programs that ask for it (LSB). */
#define VERSION_HIDDEN 0x8000

/*
 * strcmp, but ours: a host's own (AddressSanitizer's, linked statically) asks us for the real
 * one before it has any.
 */
static bool is_same_name(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static bool is_symbol(const struct loaded_object *object, uint32_t index,
		      const struct symbol_key *key)
{
	const ElfW(Sym) *symbol = &object->symbols[index];

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 &&
	       (symbol->st_info & 0xf) == key->type &&
	       !(object->versions && object->versions[index] & VERSION_HIDDEN) &&
	       is_same_name(object->strings + symbol->st_name, key->name);
}

static void *by_gnu_hash(const struct loaded_object *object, const struct symbol_key *key)
{
	const uint32_t *table = object->gnu_hash;
	const unsigned bits = sizeof(ElfW(Addr)) * 8;
	const uint32_t hash = key->gnu_hash;
	const uint32_t bucket_count = table[0];
	const uint32_t first_symbol = table[1];
	const uint32_t bloom_words = table[2];
	const ElfW(Addr) *bloom = (const void *)(table + 4);
	const uint32_t *buckets = table + 4 + (size_t)bloom_words * (sizeof(ElfW(Addr)) / 4);
	const uint32_t *chain = buckets + bucket_count;
	ElfW(Addr) word;
	uint32_t index;

	if (bucket_count == 0 || bloom_words == 0)
		return NULL;
	word = bloom[(hash / bits) & (bloom_words - 1)];
	if (!(word >> (hash % bits) & word >> ((hash >> table[3]) % bits) & 1))
		return NULL;
	index = buckets[hash % bucket_count];
	if (index < first_symbol)
		return NULL;
	for (;; index++) {
		uint32_t entry = chain[index - first_symbol];

		/* The lowest bit of a chain entry marks the end of its bucket. */
		if ((entry | 1) == (hash | 1) && is_symbol(object, index, key))
			return (void *)(object->base + object->symbols[index].st_value);
		if (entry & 1)
			return NULL;
	}
}

static void *by_sysv_hash(const struct loaded_object *object, const struct symbol_key *key)
{
	const uint32_t bucket_count = object->sysv_hash[0];
	const uint32_t *buckets = object->sysv_hash + 2;
	const uint32_t *chain = buckets + bucket_count;

	if (bucket_count == 0)
		return NULL;
	for (uint32_t index = buckets[sysv_hash(key->name) % bucket_count]; index != STN_UNDEF;
	     index = chain[index]) {
		if (is_symbol(object, index, key))
			return (void *)(object->base + object->symbols[index].st_value);
	}
	return NULL;
}

static void *find_symbol(const struct loaded_object *object, const struct symbol_key *key)
{
	if (!object->symbols || !object->strings)
		return NULL;
	if (object->gnu_hash)
		return by_gnu_hash(object, key);
#if !defined(__alpha__) && !defined(__s390x__) /* their words are twice as long */
	if (object->sysv_hash)
		return by_sysv_hash(object, key);
#endif
	return NULL;
}

void *loaded_object_function(const struct loaded_object *object, const char *name)
{
	const struct symbol_key key = {name, STT_FUNC, gnu_hash(name)};

	return find_symbol(object, &key);
}

/* How many symbols there are: the hash tables alone tell. */
static uint32_t count_symbols(const struct loaded_object *object)
{
	const uint32_t *table = object->gnu_hash;
	const uint32_t *buckets;
	const uint32_t *chain;
	uint32_t last = 0;

	if (!table)
		return object->sysv_hash ? object->sysv_hash[1] : 0;
	buckets = table + 4 + (size_t)table[2] * (sizeof(ElfW(Addr)) / 4);
	chain = buckets + table[0];
	for (uint32_t i = 0; i < table[0]; i++) {
		if (buckets[i] > last)
			last = buckets[i];
	}
	if (last < table[1])
		return table[1];
	while (!(chain[last - table[1]] & 1))
		last++;
	return last + 1;
}

const char *loaded_object_function_at(const struct loaded_object *object, const void *address)
{
	const ElfW(Addr) wanted = (uintptr_t)address - object->base;
	const ElfW(Sym) *best = NULL;

	if (!object->symbols || !object->strings)
		return NULL;
	for (uint32_t i = 0, count = count_symbols(object); i < count; i++) {
		const ElfW(Sym) *symbol = &object->symbols[i];

		if (symbol->st_shndx == SHN_UNDEF || (symbol->st_info & 0xf) != STT_FUNC ||
		    symbol->st_value > wanted)
			continue;
		/* What is beyond a function's end is not in it, where its size is known. */
		if (symbol->st_size != 0 && wanted - symbol->st_value >= symbol->st_size)
			continue;
		if (!best || symbol->st_value > best->st_value)
			best = symbol;
	}
	return best ? object->strings + best->st_name : NULL;
}

/* ---- the loader's list ---- */

typedef int visitor(struct dl_phdr_info *info, size_t size, void *data);
typedef int walker(visitor *visit, void *data);

START_PAGE static atomic_bool holds_signals;
START_PAGE static _Atomic(walker *) real_walker;

#if defined(__GLIBC__)

/*
 * The loader's list for debuggers, as they find it: by the program's own DT_DEBUG. NULL where it
 * has none. (The symbol _r_debug is the loader's, which would then be a library that we need.)
 */
static const struct r_debug *debuggers_list(void)
{
	const ElfW(Phdr) *header = (const void *)getauxval(AT_PHDR);
	const ElfW(Phdr) *end = header + getauxval(AT_PHNUM);
	const ElfW(Phdr) *itself = header;

	while (itself < end && itself->p_type != PT_PHDR)
		itself++;
	for (; itself < end && header < end; header++) {
		const ElfW(Dyn) * entry;

		if (header->p_type != PT_DYNAMIC)
			continue;
		entry = (const void *)(getauxval(AT_PHDR) - itself->p_vaddr + header->p_vaddr);
		for (; entry->d_tag != DT_NULL; entry++) {
			if (entry->d_tag == DT_DEBUG)
				return (const void *)entry->d_un.d_ptr;
		}
	}
	return NULL;
}

/*
 * libc's, found by the loader's list for debuggers. A program or another preload
 * may have a dl_iterate_phdr of its own, which shows what it likes (Seastar's does),
 * and asks us for the real one when it is called first.
 */
static walker *find_walker(void)
{
	const struct r_debug *list = debuggers_list();

	for (const struct link_map *map = list ? list->r_map : NULL; map; map = map->l_next) {
		struct loaded_object object = {.base = map->l_addr, .dynamic = map->l_ld};
		walker *found;
		void *address;

		read_dynamic(&object);
		address = loaded_object_function(&object, "dl_iterate_phdr");
		if (!address || !loaded_object_function(&object, "gnu_get_libc_version"))
			continue;
		memcpy(&found, &address, sizeof(found));
		return found;
	}
	return dl_iterate_phdr;
}

#else

static walker *find_walker(void)
{
	return dl_iterate_phdr;
}

#endif

void loaded_objects_hold_signals(bool hold)
{
	atomic_store(&holds_signals, hold);
}

/* dl_iterate_phdr, with this thread's signals held back. */
static int walk(visitor *visit, void *data)
{
	const struct sys_signals all = SYS_SIGNALS_ALL;
	walker *real = atomic_load_explicit(&real_walker, memory_order_relaxed);
	struct sys_signals before;
	int result;

	if (!real) {
		real = find_walker();
		atomic_store_explicit(&real_walker, real, memory_order_relaxed);
	}
	if (!atomic_load_explicit(&holds_signals, memory_order_relaxed) || thread_state.walks)
		return real(visit, data);
	sys_set_signals(&all, &before);
	thread_state.walks = true;
	result = real(visit, data);
	thread_state.walks = false;
	sys_set_signals(&before, NULL);
	return result;
}

static int read_changes(struct dl_phdr_info *info, size_t size, void *data)
{
	struct loaded_objects_changes *changes = data;

	(void)size;
	changes->added = info->dlpi_adds;
	changes->removed = info->dlpi_subs;
	return 1; /* they are the same in every entry */
}

struct loaded_objects_changes loaded_objects_changes(void)
{
	struct loaded_objects_changes changes = {0, 0};

	walk(read_changes, &changes);
	return changes;
}

struct locked_work {
	void (*work)(void *data);
	void *data;
};

static int do_work(struct dl_phdr_info *info, size_t size, void *data)
{
	struct locked_work *locked = data;

	(void)info;
	(void)size;
	locked->work(locked->data);
	return 1;
}

void loaded_objects_locked(void (*work)(void *data), void *data)
{
	struct locked_work locked = {work, data};
	const bool walks = thread_state.walks;

	/* Nobody is thrown out of the loader's own calls, whose lock is held without us as well. */
	thread_state.walks = true;
	walk(do_work, &locked);
	thread_state.walks = walks;
}

struct visit {
	bool (*visit)(const struct loaded_object *object, void *data);
	void *data;
	bool behind; /* only what stands behind this library, */
	bool passed; /* which was met by now */
};

/* The kernel's object is in the list, but in no scope. */
static bool is_kernels(const struct loaded_object *object)
{
	return strncmp(object->path, "linux-", 6) == 0 ||
	       (object->soname && strncmp(object->soname, "linux-", 6) == 0);
}

static int visit_object(struct dl_phdr_info *info, size_t size, void *data)
{
	struct visit *visit = data;
	struct loaded_object object;

	(void)size;
	if (holds(info, __ehdr_start)) {
		visit->passed = true;
		return 0;
	}
	if (visit->behind && !visit->passed)
		return 0;
	describe(&object, info);
	if (is_kernels(&object))
		return 0;
	return !visit->visit(&object, visit->data);
}

void loaded_objects_each(bool (*visit)(const struct loaded_object *object, void *data), void *data)
{
	struct visit each = {visit, data, false, false};

	walk(visit_object, &each);
}

void loaded_objects_each_behind(bool (*visit)(const struct loaded_object *object, void *data),
				void *data)
{
	struct visit each = {visit, data, true, false};

	walk(visit_object, &each);
}

struct start_visit {
	void (*visit)(uintptr_t start, void *data);
	void *data;
};

/* The segments stand in the order of their addresses (ELF gABI, chapter 5). */
static int visit_start(struct dl_phdr_info *info, size_t size, void *data)
{
	const struct start_visit *each = data;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_LOAD)
			continue;
		each->visit(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, each->data);
		break;
	}
	return 0;
}

void loaded_objects_each_start(void (*visit)(uintptr_t start, void *data), void *data)
{
	struct start_visit each = {visit, data};

	walk(visit_start, &each);
}

struct address_search {
	const void *address;
	struct loaded_object *object;
};

static int match_address(struct dl_phdr_info *info, size_t size, void *data)
{
	struct address_search *search = data;

	(void)size;
	if (!holds(info, search->address))
		return 0;
	describe(search->object, info);
	return 1;
}

bool loaded_objects_at(const void *address, struct loaded_object *object)
{
	struct address_search search = {address, object};

	return walk(match_address, &search) != 0;
}

/* ---- without the loader's lock ---- */

/* The beginning of dl_find_object(3)'s answer, and room for what follows on any processor. */
struct find_object_answer {
	unsigned long long flags;
	void *start;
	void *end;
	struct link_map *map;
	unsigned long long more[10];
};

typedef int find_object_function(void *address, struct find_object_answer *answer);

static find_object_function no_find_object;
static _Atomic(find_object_function *) find_object; /* NULL: not looked for yet */

static int no_find_object(void *address, struct find_object_answer *answer)
{
	(void)address;
	(void)answer;
	return -1;
}

static find_object_function *find_object_of_libc(void)
{
	find_object_function *function = atomic_load_explicit(&find_object, memory_order_acquire);
	struct loaded_object loader;
	void *address;

	if (function)
		return function;
	function = no_find_object;
	if (loaded_objects_defining("_dl_find_object", &loader, 1) == 1) {
		address = loaded_object_function(&loader, "_dl_find_object");
		memcpy(&function, &address, sizeof(address));
	}
	atomic_store_explicit(&find_object, function, memory_order_release);
	return function;
}

static bool can_find_object(void)
{
	return find_object_of_libc() != no_find_object;
}

static bool ask_for_object(const void *address, struct find_object_answer *answer)
{
	return find_object_of_libc()((void *)address, answer) == 0;
}

bool loaded_objects_of_caller(const void *address, struct loaded_object *object)
{
	struct find_object_answer answer;

	if (!can_find_object())
		return loaded_objects_at(address, object);
	if (!ask_for_object(address, &answer))
		return false;
	*object = (struct loaded_object){
		.path = answer.map->l_name,
		.base = answer.map->l_addr,
		.dynamic = answer.map->l_ld,
	};
	read_dynamic(object);
	return true;
}

const void *loaded_objects_name_at(const void *address)
{
	struct find_object_answer answer;
	struct loaded_object object;

	if (can_find_object())
		return ask_for_object(address, &answer) ? answer.start : NULL;
	return loaded_objects_at(address, &object) ? object.dynamic : NULL;
}

/* The loader puts what it loads behind all else. With its lock held. */
static void find_last(void *data)
{
	struct loaded_objects_mark *mark = data;
	struct find_object_answer answer;
	const struct link_map *map;

	if (!ask_for_object(__ehdr_start, &answer))
		return;
	for (map = answer.map; map->l_next; map = map->l_next)
		;
	*mark = (struct loaded_objects_mark){(uintptr_t)map, (uintptr_t)map->l_ld};
}

struct loaded_objects_mark loaded_objects_mark(void)
{
	struct loaded_objects_mark mark = {0, 0};

	struct locked_work locked = {find_last, &mark};

	if (can_find_object())
		walk(do_work, &locked);
	else
		mark.last = (uintptr_t)loaded_objects_changes().added;
	return mark;
}

bool loaded_objects_are_as(const struct loaded_objects_mark *mark)
{
	struct find_object_answer answer;

	if (!can_find_object())
		return mark->last == (uintptr_t)loaded_objects_changes().added;
	/* Only if it is still there it may be looked at. */
	return mark->inside && ask_for_object((const void *)mark->inside, &answer) &&
	       (uintptr_t)answer.map == mark->last && !answer.map->l_next;
}

/* ---- what objects define ---- */

struct symbol_search {
	struct symbol_key key;
	struct loaded_object *objects;
	unsigned most;
	unsigned count;
	void *address; /* of the last one */
};

static bool match_symbol(const struct loaded_object *object, void *data)
{
	struct symbol_search *search = data;
	void *address = find_symbol(object, &search->key);

	if (!address)
		return true;
	search->address = address;
	if (search->objects)
		search->objects[search->count] = *object;
	search->count++;
	return search->count < search->most;
}

unsigned loaded_objects_defining(const char *symbol, struct loaded_object *objects, unsigned most)
{
	struct symbol_search search = {
		{symbol, STT_FUNC, gnu_hash(symbol)}, objects, most, 0, NULL};

	loaded_objects_each(match_symbol, &search);
	return search.count;
}

bool loaded_objects_first_defining(const struct loaded_object *objects, unsigned count,
				   const char *symbol, struct loaded_object *found)
{
	const struct symbol_key key = {symbol, STT_FUNC, gnu_hash(symbol)};

	for (unsigned i = 0; i < count; i++) {
		if (!find_symbol(&objects[i], &key))
			continue;
		*found = objects[i];
		return true;
	}
	return false;
}

void *loaded_objects_variable(const char *name)
{
	struct symbol_search search = {{name, STT_OBJECT, gnu_hash(name)}, NULL, 1, 0, NULL};

	loaded_objects_each(match_symbol, &search);
	return search.address;
}

/* ---- by name, and by need ---- */

static const char *file_name(const struct loaded_object *object)
{
	const char *slash = strrchr(object->path, '/');

	return slash ? slash + 1 : object->path;
}

struct name_search {
	const char *name;
	bool prefix;
	struct loaded_object *object;
	bool by_soname; /* where no file is called so */
};

static int match_name(struct dl_phdr_info *info, size_t size, void *data)
{
	struct name_search *search = data;
	const char *name = search->name;

	(void)size;
	search->object->path = info->dlpi_name ? info->dlpi_name : "";
	if (search->prefix ? strncmp(file_name(search->object), name, strlen(name)) == 0
			   : strcmp(file_name(search->object), name) == 0) {
		describe(search->object, info);
		return 1;
	}
	if (search->prefix || !search->by_soname)
		return 0;
	describe(search->object, info);
	return search->object->soname && strcmp(search->object->soname, name) == 0;
}

bool loaded_objects_named(const char *prefix, struct loaded_object *object)
{
	struct name_search search = {prefix, true, object, false};

	return walk(match_name, &search) != 0;
}

/* What a search along DT_NEEDED has met, in the order in which it is looked at. */
struct closure {
	const ElfW(Dyn) * dynamic[NEEDED_MAX];
	unsigned count;
};

static void add_to_closure(struct closure *closure, const struct loaded_object *object)
{
	for (unsigned i = 0; i < closure->count; i++) {
		if (closure->dynamic[i] == object->dynamic)
			return;
	}
	if (closure->count < NEEDED_MAX)
		closure->dynamic[closure->count++] = object->dynamic;
}

static bool find_needed(const char *name, struct loaded_object *object)
{
	struct name_search search = {name, false, object, false};

	if (walk(match_name, &search) != 0)
		return true;
	search.by_soname = true;
	return walk(match_name, &search) != 0;
}

static void add_needed(struct closure *closure, const struct loaded_object *object)
{
	if (!object->strings)
		return;
	for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		struct loaded_object needed = {0};

		if (entry->d_tag == DT_NEEDED &&
		    find_needed(object->strings + entry->d_un.d_val, &needed))
			add_to_closure(closure, &needed);
	}
}

/* ---- other name spaces, which dl_iterate_phdr does not show ---- */

/*
 * By the ELF header, with which an object that was not prelinked begins. Linkers put the program
 * headers right behind it; where a tool has moved them they may not be in memory, and stay unknown.
 */
static bool describe_at(uintptr_t base, const ElfW(Dyn) * dynamic, struct loaded_object *object)
{
	const ElfW(Ehdr) *header = (const void *)base;

	if (base == 0 || base % ELF_PAGE_LEAST != 0 || (uintptr_t)dynamic <= base ||
	    memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	*object = (struct loaded_object){.path = "", .base = base, .dynamic = dynamic};
	if (header->e_phoff <= ELF_PAGE_LEAST &&
	    header->e_phoff + header->e_phnum * sizeof(ElfW(Phdr)) <= ELF_PAGE_LEAST) {
		object->segments = (const void *)(base + header->e_phoff);
		object->segment_count = header->e_phnum;
	}
	read_dynamic(object);
	return true;
}

bool loaded_object_apart(const struct link_map *map, struct loaded_object *object)
{
	if (loaded_objects_at(map->l_ld, object) || !describe_at(map->l_addr, map->l_ld, object))
		return false;
	object->path = map->l_name ? map->l_name : "";
	object->apart = map;
	return true;
}

bool loaded_object_apart_again(const ElfW(Dyn) * dynamic, uintptr_t base,
			       struct loaded_object *object)
{
	return sys_is_mapped((const void *)base) && sys_is_mapped(dynamic) &&
	       describe_at(base, dynamic, object);
}

bool loaded_object_of_kernel(struct loaded_object *object)
{
	const ElfW(Ehdr) *header = (const void *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Phdr) * segments;
	const ElfW(Dyn) *dynamic = NULL;
	uintptr_t base = 0;

	if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	segments = (const void *)((uintptr_t)header + header->e_phoff);
	for (unsigned i = header->e_phnum; i-- > 0;) {
		/* Where it is linked to lie: the first one has the header. */
		if (segments[i].p_type == PT_LOAD)
			base = (uintptr_t)header - segments[i].p_vaddr + segments[i].p_offset;
	}
	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_DYNAMIC)
			dynamic = (const void *)(base + segments[i].p_vaddr);
	}
	*object = (struct loaded_object){
		.path = "",
		.base = base,
		.segments = segments,
		.segment_count = header->e_phnum,
		.dynamic = dynamic,
	};
	read_dynamic(object);
	return dynamic != NULL;
}

static void each_apart(const struct loaded_object *from,
		       bool (*visit)(const struct loaded_object *object, void *data), void *data)
{
	const struct link_map *map = from->apart;
	struct loaded_object object;

	if (!visit(from, data))
		return;
	while (map->l_prev)
		map = map->l_prev;
	for (; map; map = map->l_next) {
		if (map != from->apart && loaded_object_apart(map, &object) &&
		    !visit(&object, data))
			return;
	}
}

/* ---- along DT_NEEDED ---- */

void loaded_object_each_needed(const struct loaded_object *from,
			       bool (*visit)(const struct loaded_object *object, void *data),
			       void *data)
{
	struct loaded_object object;
	struct closure closure;

	if (from->apart) {
		each_apart(from, visit, data);
		return;
	}

	closure.count = 0;
	add_to_closure(&closure, from);
	for (unsigned next = 0; next < closure.count; next++) {
		if (!loaded_objects_at(closure.dynamic[next], &object))
			continue;
		if (!visit(&object, data))
			return;
		add_needed(&closure, &object);
	}
}

bool loaded_object_needed_defining(const struct loaded_object *from, const char *symbol,
				   struct loaded_object *found)
{
	struct symbol_search search = {{symbol, STT_FUNC, gnu_hash(symbol)}, found, 1, 0, NULL};

	loaded_object_each_needed(from, match_symbol, &search);
	return search.count == 1;
}
