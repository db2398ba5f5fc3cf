#include "shim/base/import_slots.h"

#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "shim/base/sys.h"

/*
 * The types of relocation that put a function's address into a slot: of a call
 * through the procedure linkage table, of any other use of its address, and of
 * a pointer in data. 0: this architecture has none of the kind.
 */
#if defined(__x86_64__)
enum { SLOT_OF_CALL = 7, SLOT_OF_ADDRESS = 6, SLOT_IN_DATA = 1 };
#elif defined(__aarch64__)
enum { SLOT_OF_CALL = 1026, SLOT_OF_ADDRESS = 1025, SLOT_IN_DATA = 257 };
#elif defined(__i386__)
enum { SLOT_OF_CALL = 7, SLOT_OF_ADDRESS = 6, SLOT_IN_DATA = 1 };
#elif defined(__arm__)
enum { SLOT_OF_CALL = 22, SLOT_OF_ADDRESS = 21, SLOT_IN_DATA = 2 };
#elif defined(__riscv)
enum { SLOT_OF_CALL = 5, SLOT_OF_ADDRESS = 0, SLOT_IN_DATA = __riscv_xlen == 64 ? 2 : 1 };
#elif defined(__s390__)
enum { SLOT_OF_CALL = 11, SLOT_OF_ADDRESS = 10, SLOT_IN_DATA = sizeof(void *) == 8 ? 22 : 4 };
#elif defined(__powerpc64__) && _CALL_ELF == 2
enum { SLOT_OF_CALL = 21, SLOT_OF_ADDRESS = 20, SLOT_IN_DATA = 38 };
#elif defined(__loongarch64)
enum { SLOT_OF_CALL = 5, SLOT_OF_ADDRESS = 0, SLOT_IN_DATA = 2 };
#else
enum { SLOT_OF_CALL = 0, SLOT_OF_ADDRESS = 0, SLOT_IN_DATA = 0 };
#endif

#if defined(__LP64__)
#define SYMBOL_OF(info) ELF64_R_SYM(info)
#define TYPE_OF(info)   ELF64_R_TYPE(info)
#else
#define SYMBOL_OF(info) ELF32_R_SYM(info)
#define TYPE_OF(info)   ELF32_R_TYPE(info)
#endif

/* One table of relocations. */
struct relocations {
	uintptr_t start;
	size_t size;
	size_t entry_size;
};

/* Those for calls, and all others. */
struct tables {
	struct relocations calls;
	struct relocations others;
	size_t relative; /* how many of the others come first and have no symbol */
};

static uintptr_t relocated(const struct loaded_object *object, ElfW(Addr) address)
{
	return address < object->base ? object->base + address : address;
}

static void read_tables(const struct loaded_object *object, struct tables *tables)
{
	bool addends = false;

	*tables = (struct tables){0};
	for (const ElfW(Dyn) *entry = object->dynamic; entry && entry->d_tag != DT_NULL; entry++) {
		switch (entry->d_tag) {
		case DT_JMPREL:
			tables->calls.start = relocated(object, entry->d_un.d_ptr);
			break;
		case DT_PLTRELSZ:
			tables->calls.size = entry->d_un.d_val;
			break;
		case DT_PLTREL:
			addends = entry->d_un.d_val == DT_RELA;
			break;
		case DT_RELA:
		case DT_REL:
			tables->others.start = relocated(object, entry->d_un.d_ptr);
			tables->others.entry_size =
				entry->d_tag == DT_RELA ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
			break;
		case DT_RELASZ:
		case DT_RELSZ:
			tables->others.size = entry->d_un.d_val;
			break;
		case DT_RELACOUNT:
		case DT_RELCOUNT:
			tables->relative = entry->d_un.d_val;
			break;
		default:
			break;
		}
	}
	tables->calls.entry_size = addends ? sizeof(ElfW(Rela)) : sizeof(ElfW(Rel));
}

static bool is_slot(unsigned type)
{
	return type != 0 &&
	       (type == SLOT_OF_CALL || type == SLOT_OF_ADDRESS || type == SLOT_IN_DATA);
}

/* ---- what the loader has made read-only ---- */

struct writing {
	const struct loaded_object *object;
	uintptr_t (*choose)(const struct import_slot *slot, void *data);
	void *data;
	uintptr_t start; /* of what is read-only; 0 and 0: nothing */
	uintptr_t end;
	enum { CLOSED, OPENED, REFUSED } state;
};

/* From where glibc has withdrawn writing (RELRO). It rounds the region's end down. */
static void find_read_only(struct writing *writing)
{
	const struct loaded_object *object = writing->object;
	const uintptr_t page = getauxval(AT_PAGESZ);

	for (unsigned i = 0; i < object->segment_count; i++) {
		const ElfW(Phdr) *segment = &object->segments[i];
		uintptr_t start = object->base + segment->p_vaddr;

		if (segment->p_type != PT_GNU_RELRO)
			continue;
		writing->start = start & ~(page - 1);
		writing->end = (start + segment->p_memsz) & ~(page - 1);
	}
}

static bool protect(const struct writing *writing, int protection)
{
	return sys_mprotect((void *)writing->start, writing->end - writing->start, protection) == 0;
}

static void write_slot(struct writing *writing, const struct import_slot *slot, uintptr_t address)
{
	const uintptr_t at = (uintptr_t)slot->at;

	if (at >= writing->start && at < writing->end) {
		if (writing->state == CLOSED)
			writing->state =
				protect(writing, PROT_READ | PROT_WRITE) ? OPENED : REFUSED;
		if (writing->state == REFUSED)
			return;
	}
	atomic_store_explicit(slot->at, address, memory_order_release);
}

/* ---- the slots ---- */

static void set_table(struct writing *writing, const struct relocations *table, size_t skipped)
{
	const struct loaded_object *object = writing->object;

	if (table->start == 0 || table->entry_size == 0)
		return;
	for (size_t at = skipped * table->entry_size; at + table->entry_size <= table->size;
	     at += table->entry_size) {
		/* What the two forms have in common comes first in both. */
		const ElfW(Rel) *entry = (const void *)(table->start + at);
		const ElfW(Sym) *symbol = &object->symbols[SYMBOL_OF(entry->r_info)];
		struct import_slot slot;
		uintptr_t address;

		if (SYMBOL_OF(entry->r_info) == 0 || !is_slot(TYPE_OF(entry->r_info)) ||
		    symbol->st_shndx != SHN_UNDEF)
			continue;
		slot = (struct import_slot){object->strings + symbol->st_name,
					    (void *)(object->base + entry->r_offset),
					    TYPE_OF(entry->r_info) == SLOT_OF_CALL};
		address = writing->choose(&slot, writing->data);
		if (address != 0)
			write_slot(writing, &slot, address);
	}
}

void import_slots_set(const struct loaded_object *object,
		      uintptr_t (*choose)(const struct import_slot *slot, void *data), void *data)
{
	struct writing writing = {.object = object, .choose = choose, .data = data};
	struct tables tables;

	/* Without its segments it isn't known what of it is read-only. */
	if (!object->symbols || !object->strings || object->segment_count == 0)
		return;
	find_read_only(&writing);
	read_tables(object, &tables);
	set_table(&writing, &tables.calls, 0);
	set_table(&writing, &tables.others, tables.relative);
	if (writing.state == OPENED)
		(void)protect(&writing, PROT_READ);
}
