/*
 * Hooks of libc's calls by which descriptors become names of a connection, and
 * cease to be.
 */
#include "shim/hooks/hook_descriptor.h"

#include <errno.h>
#include <netinet/in.h>

#include "shim/base/sys.h"
#include "shim/core/connection.h"
#include "shim/hooks/real_libc.h"

#define CALLER __builtin_return_address(0)

/* ---- opening and closing ---- */

/* A refused connection: the call fails as if the peer had ended it. */
static int refused(void)
{
	errno = ECONNRESET;
	return -1;
}

static bool is_internet(const struct sockaddr *address, socklen_t length)
{
	return address && length >= sizeof(struct sockaddr_in) &&
	       (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

static int watched_connect(__typeof__(connect) *real, int fd, __CONST_SOCKADDR_ARG address,
			   socklen_t length, const void *caller)
{
	int result = real(fd, address, length);
	int saved = errno;

	/* Only now is it known that the address can be read. */
	if ((result == 0 || saved == EINPROGRESS || saved == EINTR) &&
	    is_internet(ADDRESS_OF(address), length) &&
	    !connection_opened(fd, ADDRESS_OF(address), length, caller))
		return refused();
	errno = saved;
	return result;
}

EXPORT int connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	return watched_connect(libc()->connect, fd, address, length, CALLER);
}

/* Whoever else defines connect() in this process: ours. */
__typeof__(connect) hook_connect __attribute__((alias("connect"), visibility("hidden")));

EXPORT int __connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	return watched_connect(libc()->__connect, fd, address, length, CALLER);
}

void before_close(int fd)
{
	int saved = errno;

	if (!descriptor_unmonitored(fd))
		connection_closing(fd);
	errno = saved;
}

EXPORT int close(int fd)
{
	before_close(fd);
	return libc()->close(fd);
}

EXPORT int __close(int fd)
{
	before_close(fd);
	return libc()->__close(fd);
}

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* Before a call that closes all from `first` to `last`. */
static void before_close_range(unsigned first, unsigned last)
{
	int saved = errno;

	connection_closing_range(first, last);
	errno = saved;
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	if (real_libc_has((uintptr_t)libc()->close_range) &&
	    !((unsigned)flags & CLOSE_RANGE_CLOEXEC) && first <= last)
		before_close_range(first, last);
	return libc()->close_range(first, last, flags);
}

EXPORT void closefrom(int first)
{
	if (real_libc_has((uintptr_t)libc()->closefrom))
		before_close_range(first > 0 ? (unsigned)first : 0, UINT32_MAX);
	libc()->closefrom(first);
}

/* ---- other names for a descriptor ---- */

static int copied(int fd, int copy)
{
	int saved = errno;

	if (copy >= 0 && copy != fd &&
	    !(descriptor_unmonitored(fd) && descriptor_unmonitored(copy)))
		connection_copied(fd, copy);
	errno = saved;
	return copy;
}

/* dup2 closes what `new_fd` was, unless it fails, which it does if `old_fd` is none. */
static void before_copy_over(int old_fd, int new_fd)
{
	int saved = errno;

	if (old_fd != new_fd && !descriptor_unmonitored(new_fd) && sys_is_open(old_fd))
		connection_closing(new_fd);
	errno = saved;
}

EXPORT int dup(int fd)
{
	return copied(fd, libc()->dup(fd));
}

EXPORT int dup2(int old_fd, int new_fd)
{
	before_copy_over(old_fd, new_fd);
	return copied(old_fd, libc()->dup2(old_fd, new_fd));
}

EXPORT int __dup2(int old_fd, int new_fd)
{
	before_copy_over(old_fd, new_fd);
	return copied(old_fd, libc()->__dup2(old_fd, new_fd));
}

EXPORT int dup3(int old_fd, int new_fd, int flags)
{
	before_copy_over(old_fd, new_fd);
	return copied(old_fd, libc()->dup3(old_fd, new_fd, flags));
}

/*
 * Variadic in libc's headers, with an int or a pointer as the third argument, or
 * none. Every ABI that glibc serves passes all of them so that a function of
 * three arguments hands on what it was given.
 */
EXPORT int fcntl_hook(int fd, int command, void *argument) __asm__("fcntl");
EXPORT int reserved_fcntl_hook(int fd, int command, void *argument) __asm__("__fcntl");
EXPORT int fcntl64_hook(int fd, int command, void *argument) __asm__("fcntl64");

static int watched_fcntl(__typeof__(fcntl) *real, int fd, int command, void *argument)
{
	int result = real(fd, command, argument);

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		return copied(fd, result);
	return result;
}

int fcntl_hook(int fd, int command, void *argument)
{
	return watched_fcntl(libc()->fcntl, fd, command, argument);
}

int reserved_fcntl_hook(int fd, int command, void *argument)
{
	return watched_fcntl(libc()->__fcntl, fd, command, argument);
}

int fcntl64_hook(int fd, int command, void *argument)
{
	return watched_fcntl(libc()->fcntl64, fd, command, argument);
}
