/*
 * What each descriptor of this process is: nothing of ours, or the number of
 * what is known of it. Four bytes for each, mapped in groups as they are set.
 * Memory only but for that; lock-free; knows no connection.
 */
#ifndef TLSWITNESS_DESCRIPTOR_TABLE_H
#define TLSWITNESS_DESCRIPTOR_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESCRIPTORS_MAX  (1U << 20)
#define DESCRIPTOR_GROUP 4096U

/* The two lowest bits of an entry; the others are a number, which is the owner's. */
enum descriptor_kind {
	DESCRIPTOR_UNMONITORED, /* number 0: the entry of whatever was never set */
	DESCRIPTOR_CANDIDATE,   /* it may turn out to be mail */
	DESCRIPTOR_CONNECTION,  /* mail, or about to be known as such */
	DESCRIPTOR_BLOCKED,     /* refused: every call on it fails */
};

/* A descriptor of our own, which the host may close as any other: a blocked one with a number. */
#define DESCRIPTOR_OURS (1U << 2 | DESCRIPTOR_BLOCKED)

/* What no group was mapped for, and the group that needs no mapping. */
struct descriptor_own_groups {
	_Atomic uint32_t none[DESCRIPTOR_GROUP];
	_Atomic uint32_t first[DESCRIPTOR_GROUP];
};

extern struct descriptor_own_groups descriptor_own_groups __attribute__((visibility("hidden")));

/* How far each group lies from there: 256 pointers would be the loader's work in each process. */
extern _Atomic ptrdiff_t descriptor_groups[DESCRIPTORS_MAX / DESCRIPTOR_GROUP]
	__attribute__((visibility("hidden")));

static inline bool descriptor_in_range(int fd)
{
	return (unsigned)fd < DESCRIPTORS_MAX;
}

static inline _Atomic uint32_t *descriptor_group_of(int fd)
{
	const ptrdiff_t distance = atomic_load_explicit(
		&descriptor_groups[(unsigned)fd / DESCRIPTOR_GROUP], memory_order_acquire);

	return (_Atomic uint32_t *)(void *)((char *)&descriptor_own_groups + distance);
}

/* 0 where `fd` is out of range. */
static inline uint32_t descriptor_entry(int fd)
{
	if (!descriptor_in_range(fd))
		return DESCRIPTOR_UNMONITORED;
	return atomic_load_explicit(&descriptor_group_of(fd)[(unsigned)fd % DESCRIPTOR_GROUP],
				    memory_order_acquire);
}

/* The whole cost of a descriptor that is no mail connection: nearly all are of the first group. */
static inline bool descriptor_unmonitored(int fd)
{
	const unsigned number = (unsigned)fd;

	if (number < DESCRIPTOR_GROUP)
		return atomic_load_explicit(&descriptor_own_groups.first[number],
					    memory_order_acquire) == DESCRIPTOR_UNMONITORED;
	return descriptor_entry(fd) == DESCRIPTOR_UNMONITORED;
}

static inline enum descriptor_kind descriptor_kind(uint32_t entry)
{
	return (enum descriptor_kind)(entry & 3);
}

static inline uint32_t descriptor_number(uint32_t entry)
{
	return entry >> 2;
}

static inline uint32_t descriptor_entry_of(enum descriptor_kind kind, uint32_t number)
{
	return number << 2 | kind;
}

/* There is room for the entry of `fd`. False if not: nothing can be set for it. */
bool descriptor_make_room(int fd);

/*
 * Sets the entry and returns what it was. Without room only
 * DESCRIPTOR_UNMONITORED can be set, which it is then.
 */
uint32_t descriptor_exchange(int fd, uint32_t entry);

/* Sets the entry if it still is `old`. */
bool descriptor_replace(int fd, uint32_t old, uint32_t entry);

/* No descriptor above this one was ever set. */
unsigned descriptor_most(void);

#endif
