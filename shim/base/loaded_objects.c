/*
 * Walks the loader's list and the objects' symbol tables (ELF gABI, chapter 5;
 * the GNU hash table as ld and glibc agree on it).
 */
#include "shim/base/loaded_objects.h"

#include <string.h>

#define NEEDED_DEPTH_MAX 6

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
	for (int i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			object->dynamic =
				(const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
	}
	read_dynamic(object);
}

static bool holds(const struct dl_phdr_info *info, const void *address)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t start = info->dlpi_addr + segment->p_vaddr;

		if (segment->p_type == PT_LOAD && (uintptr_t)address >= start &&
		    (uintptr_t)address - start < segment->p_memsz)
			return true;
	}
	return false;
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (unsigned char)*name;
	return hash;
}

static bool is_function_named(const struct loaded_object *object, const ElfW(Sym) * symbol,
			      const char *name)
{
	unsigned type = symbol->st_info & 0xf;

	return symbol->st_shndx != SHN_UNDEF && symbol->st_value != 0 && type == STT_FUNC &&
	       strcmp(object->strings + symbol->st_name, name) == 0;
}

void *loaded_object_function(const struct loaded_object *object, const char *name)
{
	const uint32_t hash = gnu_hash(name);
	const uint32_t *buckets;
	const uint32_t *chain;
	uint32_t bucket_count;
	uint32_t first_symbol;
	uint32_t bloom_words;
	uint32_t index;

	if (!object->gnu_hash || !object->symbols || !object->strings)
		return NULL;
	bucket_count = object->gnu_hash[0];
	first_symbol = object->gnu_hash[1];
	bloom_words = object->gnu_hash[2];
	buckets = object->gnu_hash + 4 + (size_t)bloom_words * (sizeof(ElfW(Addr)) / 4);
	chain = buckets + bucket_count;
	if (bucket_count == 0)
		return NULL;
	index = buckets[hash % bucket_count];
	if (index < first_symbol)
		return NULL;
	for (;; index++) {
		uint32_t entry = chain[index - first_symbol];

		/* The lowest bit of a chain entry marks the end of its bucket. */
		if ((entry | 1) == (hash | 1) &&
		    is_function_named(object, &object->symbols[index], name))
			return (void *)(object->base + object->symbols[index].st_value);
		if (entry & 1)
			return NULL;
	}
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

	return dl_iterate_phdr(match_address, &search) != 0;
}

struct symbol_search {
	const char *symbol;
	struct loaded_object *objects;
	unsigned most;
	unsigned count;
};

static int match_symbol(struct dl_phdr_info *info, size_t size, void *data)
{
	struct symbol_search *search = data;
	struct loaded_object *object = &search->objects[search->count];

	(void)size;
	if (holds(info, __ehdr_start))
		return 0;
	describe(object, info);
	if (loaded_object_function(object, search->symbol))
		search->count++;
	return search->count == search->most;
}

unsigned loaded_objects_defining(const char *symbol, struct loaded_object *objects, unsigned most)
{
	struct symbol_search search = {symbol, objects, most, 0};

	dl_iterate_phdr(match_symbol, &search);
	return search.count;
}

static const char *file_name(const struct loaded_object *object)
{
	const char *slash = strrchr(object->path, '/');

	return slash ? slash + 1 : object->path;
}

struct name_search {
	const char *name;
	bool prefix;
	struct loaded_object *object;
};

static int match_name(struct dl_phdr_info *info, size_t size, void *data)
{
	struct name_search *search = data;
	const char *name = search->name;

	(void)size;
	describe(search->object, info);
	if (search->prefix)
		return strncmp(file_name(search->object), name, strlen(name)) == 0;
	return strcmp(file_name(search->object), name) == 0 ||
	       (search->object->soname && strcmp(search->object->soname, name) == 0);
}

bool loaded_objects_named(const char *prefix, struct loaded_object *object)
{
	struct name_search search = {prefix, true, object};

	return dl_iterate_phdr(match_name, &search) != 0;
}

static bool needs_within(const struct loaded_object *object, const struct loaded_object *other,
			 int depth)
{
	if (!object->strings || depth == 0)
		return false;
	for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		const char *name = object->strings + entry->d_un.d_val;

		if (entry->d_tag != DT_NEEDED)
			continue;
		if (strcmp(name, other->soname ? other->soname : file_name(other)) == 0)
			return true;
	}
	for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		struct loaded_object needed = {0};
		struct name_search search = {object->strings + entry->d_un.d_val, false, &needed};

		if (entry->d_tag == DT_NEEDED && dl_iterate_phdr(match_name, &search) != 0 &&
		    needs_within(&needed, other, depth - 1))
			return true;
	}
	return false;
}

bool loaded_object_needs(const struct loaded_object *object, const struct loaded_object *other)
{
	return needs_within(object, other, NEEDED_DEPTH_MAX);
}
