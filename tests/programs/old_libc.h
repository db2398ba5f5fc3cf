/*
 * What the tests call of newer libcs, for those that lack it: glibc before 2.34
 * (Debian 11 has 2.31), and musl.
 */
#ifndef TLSWITNESS_OLD_LIBC_H
#define TLSWITNESS_OLD_LIBC_H

#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's numbers, the same on every architecture. */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#if !defined(__GLIBC__) || !__GLIBC_PREREQ(2, 34)

static inline int close_range(unsigned first, unsigned last, int flags)
{
	return (int)syscall(SYS_close_range, first, last, flags);
}

static inline void closefrom(int first)
{
	(void)close_range((unsigned)first, ~0U, 0);
}

#endif

#endif
