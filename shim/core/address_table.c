#include "shim/core/address_table.h"

#include <string.h>

static _Atomic uint32_t *chain_of(struct address_table *table, const void *address)
{
	/* Fibonacci hashing; the low bits of an allocation are always the same. */
	uint64_t hash = ((uintptr_t)address >> 4) * UINT64_C(0x9E3779B97F4A7C15);

	return &table->chains[hash >> (64 - ADDRESS_TABLE_CHAINS_BITS)];
}

static struct address_link *link_at(const struct address_table *table, uint32_t number)
{
	return number == 0 ? NULL : slab_at(&table->links, number - 1);
}

static struct address_link *first_link(struct address_table *table, const void *address)
{
	return link_at(table, atomic_load_explicit(chain_of(table, address), memory_order_acquire));
}

static struct address_link *find_link(struct address_table *table, const void *address)
{
	struct address_link *link = first_link(table, address);

	while (link && atomic_load_explicit(&link->address, memory_order_acquire) != address)
		link = link_at(table, link->next);
	return link;
}

void *address_table_find(struct address_table *table, const void *address)
{
	const struct address_link *link = address ? find_link(table, address) : NULL;

	return link && link->entry != 0 ? slab_at(&table->entries, link->entry - 1) : NULL;
}

/* One of the chain that is nobody's, for `address` from now on. */
static struct address_link *claim_free_link(struct address_table *table, const void *address)
{
	struct address_link *link = first_link(table, address);

	for (; link; link = link_at(table, link->next)) {
		const void *nobody = NULL;

		if (atomic_compare_exchange_strong(&link->address, &nobody, address))
			return link;
	}
	return NULL;
}

static struct address_link *claim_link(struct address_table *table, const void *address)
{
	_Atomic uint32_t *chain = chain_of(table, address);
	struct address_link *link = claim_free_link(table, address);
	uint32_t number;

	if (link)
		return link;
	link = slab_claim(&table->links, &number);
	if (!link)
		return NULL;
	link->entry = 0;
	atomic_store(&link->address, address);
	link->next = atomic_load(chain);
	while (!atomic_compare_exchange_weak(chain, &link->next, number + 1))
		;
	return link;
}

void *address_table_add(struct address_table *table, const void *address)
{
	struct address_link *link;
	uint32_t number;
	void *entry = slab_claim(&table->entries, &number);

	if (!entry)
		return NULL;
	memset(entry, 0, table->entries.size);
	link = claim_link(table, address);
	if (!link) {
		slab_free(&table->entries, number);
		return NULL;
	}
	link->entry = number + 1;
	return entry;
}

void address_table_remove(struct address_table *table, const void *address)
{
	struct address_link *link = find_link(table, address);
	uint32_t entry;

	if (!link)
		return;
	entry = link->entry;
	link->entry = 0;
	atomic_store_explicit(&link->address, NULL, memory_order_release);
	if (entry != 0)
		slab_free(&table->entries, entry - 1);
}
