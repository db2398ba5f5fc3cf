/*
 * Hooks of libc's calls by which descriptors become names of a connection, and
 * cease to be.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>

#include "shim/base/sys.h"
#include "shim/core/connection.h"
#include "shim/hooks/real_libc.h"

#define CALLER __builtin_return_address(0)

/*
 * The real functions, also for a call that comes before our start. A function
 * that libc does not have fails as an unknown system call does.
 */
static const struct real_libc *libc(void)
{
	if (!real_libc.read)
		real_libc_find();
	return &real_libc;
}

static int missing(void)
{
	errno = ENOSYS;
	return -1;
}

/* A refused connection: the call fails as if the peer had ended it. */
static int refused(void)
{
	errno = ECONNRESET;
	return -1;
}

/* ---- opening and closing ---- */

static bool is_internet(const struct sockaddr *address, socklen_t length)
{
	return address && length >= sizeof(struct sockaddr_in) &&
	       (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

static int watched_connect(__typeof__(connect) *real, int fd, __CONST_SOCKADDR_ARG address,
			   socklen_t length, const void *caller)
{
	int result;
	int saved;

	if (!real)
		return missing();
	result = real(fd, address, length);
	saved = errno;
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

EXPORT int __connect(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
	return watched_connect(libc()->__connect, fd, address, length, CALLER);
}

/* The connection's last record is written while its descriptor still is one. */
static void before_close(int fd)
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

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	int saved = errno;

	if (!libc()->close_range)
		return missing();
	if (!((unsigned)flags & CLOSE_RANGE_CLOEXEC) && first <= last)
		connection_closing_range(first, last);
	errno = saved;
	return real_libc.close_range(first, last, flags);
}

EXPORT void closefrom(int first)
{
	int saved = errno;

	if (!libc()->closefrom)
		return;
	connection_closing_range(first > 0 ? (unsigned)first : 0, UINT32_MAX);
	errno = saved;
	real_libc.closefrom(first);
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
 * The third argument is an int or a pointer; every ABI that glibc serves passes
 * both so that a pointer fetches either.
 */
static int watched_fcntl(__typeof__(fcntl) *real, int fd, int command, void *argument)
{
	int result = real ? real(fd, command, argument) : missing();

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
		return copied(fd, result);
	return result;
}

EXPORT int fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return watched_fcntl(libc()->fcntl, fd, command, argument);
}

EXPORT int __fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return watched_fcntl(libc()->__fcntl, fd, command, argument);
}

EXPORT int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return watched_fcntl(libc()->fcntl64, fd, command, argument);
}
