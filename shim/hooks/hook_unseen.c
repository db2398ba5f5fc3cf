/*
 * Hooks of what would carry a connection's bytes past those of hook_socket.c:
 * calls that are made of others inside libc, and those by which the kernel moves
 * bytes that no process sees. And of what makes two processes of one.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "shim/base/loaded_objects.h"
#include "shim/core/connection.h"
#include "shim/core/recorder.h"
#include "shim/hooks/real_libc.h"

/* What is longer goes to libc, unseen. */
#define FORMATTED_MAX 1024

/* Bytes are about to pass that we can't see. False: they must not, and errno is set. */
static bool may_pass_unseen(int fd)
{
	struct connection_call call;
	int saved = errno;

	if (descriptor_unmonitored(fd))
		return true;
	if (connection_call_begin(&call, fd) && connection_may_pass_unseen(&call)) {
		errno = saved;
		return true;
	}
	errno = ECONNRESET;
	return false;
}

static bool is_connection(int fd)
{
	return !descriptor_unmonitored(fd);
}

/* ---- stdio ---- */

/* What libc does under it never comes this way. */
EXPORT FILE *fdopen(int fd, const char *mode)
{
	if (!may_pass_unseen(fd))
		return NULL;
	return libc()->fdopen(fd, mode);
}

/* True as long as it is missing. */
static bool find_vsnprintf(const struct loaded_object *object, void *data)
{
	void **slot = data;

	*slot = loaded_object_function(object, "vsnprintf");
	return !*slot;
}

/* Found by hand, as everything of libc that an interposer may own. */
static int format_into(char *bytes, size_t room, const char *format, va_list arguments)
{
	static _Atomic(void *) found;
	void *address = found;
	__typeof__(vsnprintf) *real;

	if (!address) {
		loaded_objects_each_behind(find_vsnprintf, &address);
		found = address;
	}
	if (!address)
		return (int)room; /* longer than what we can look at */
	memcpy(&real, &address, sizeof(real));
	return real(bytes, room, format, arguments);
}

/* As libc writes it: all of it, or an error. */
static int write_all(int fd, const char *bytes, size_t length)
{
	size_t done = 0;

	while (done < length) {
		ssize_t written = write(fd, bytes + done, length - done);

		if (written < 0)
			return -1;
		done += (size_t)written;
	}
	return (int)length;
}

/* `arguments` is consumed, as by vdprintf. -2: not ours to write. */
static int write_formatted(int fd, const char *format, va_list arguments)
{
	char bytes[FORMATTED_MAX];
	va_list copy;
	int length;

	if (!is_connection(fd))
		return -2;
	va_copy(copy, arguments);
	length = format_into(bytes, sizeof(bytes), format, copy);
	va_end(copy);
	if (length < 0)
		return -1;
	if ((size_t)length < sizeof(bytes))
		return write_all(fd, bytes, (size_t)length);
	return may_pass_unseen(fd) ? -2 : -1;
}

EXPORT int vdprintf(int fd, const char *format, va_list arguments)
{
	int result = write_formatted(fd, format, arguments);

	return result == -2 ? libc()->vdprintf(fd, format, arguments) : result;
}

EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments)
{
	int result = write_formatted(fd, format, arguments);

	if (result != -2)
		return result;
	return libc()->__vdprintf_chk(fd, flag, format, arguments);
}

EXPORT int dprintf(int fd, const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = write_formatted(fd, format, arguments);
	if (result == -2)
		result = libc()->vdprintf(fd, format, arguments);
	va_end(arguments);
	return result;
}

EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...)
{
	va_list arguments;
	int result;

	va_start(arguments, format);
	result = write_formatted(fd, format, arguments);
	if (result == -2)
		result = libc()->__vdprintf_chk(fd, flag, format, arguments);
	va_end(arguments);
	return result;
}

/* ---- vectors with an offset, of which a socket has none ---- */

/* Is it one that a socket can be given? It is what its plain sibling would do, then. */
static bool is_plain(int fd, off64_t offset, int flags)
{
	return offset == -1 && flags == 0 && is_connection(fd);
}

/* Before a call to `real` that no socket can serve. */
static bool may_pass_oddly(int fd, uintptr_t real)
{
	return !real_libc_has(real) || may_pass_unseen(fd);
}

EXPORT ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	if (is_plain(fd, offset, flags))
		return writev(fd, parts, count);
	if (!may_pass_oddly(fd, (uintptr_t)libc()->pwritev2))
		return -1;
	return libc()->pwritev2(fd, parts, count, offset, flags);
}

EXPORT ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
	if (is_plain(fd, offset, flags))
		return writev(fd, parts, count);
	if (!may_pass_oddly(fd, (uintptr_t)libc()->pwritev64v2))
		return -1;
	return libc()->pwritev64v2(fd, parts, count, offset, flags);
}

EXPORT ssize_t preadv2(int fd, const struct iovec *parts, int count, off_t offset, int flags)
{
	if (is_plain(fd, offset, flags))
		return readv(fd, parts, count);
	if (!may_pass_oddly(fd, (uintptr_t)libc()->preadv2))
		return -1;
	return libc()->preadv2(fd, parts, count, offset, flags);
}

EXPORT ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
{
	if (is_plain(fd, offset, flags))
		return readv(fd, parts, count);
	if (!may_pass_oddly(fd, (uintptr_t)libc()->preadv64v2))
		return -1;
	return libc()->preadv64v2(fd, parts, count, offset, flags);
}

/* ---- from one descriptor to another, by the kernel ---- */

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
	return may_pass_unseen(out) ? libc()->sendfile(out, in, offset, count) : -1;
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
	return may_pass_unseen(out) ? libc()->sendfile64(out, in, offset, count) : -1;
}

EXPORT ssize_t splice(int in, off64_t *in_offset, int out, off64_t *out_offset, size_t length,
		      unsigned flags)
{
	if (!may_pass_unseen(in) || !may_pass_unseen(out))
		return -1;
	return libc()->splice(in, in_offset, out, out_offset, length, flags);
}

EXPORT ssize_t vmsplice(int fd, const struct iovec *parts, size_t count, unsigned flags)
{
	return may_pass_unseen(fd) ? libc()->vmsplice(fd, parts, count, flags) : -1;
}

/* ---- another process ---- */

static pid_t forked(pid_t child)
{
	int saved = errno;

	if (child > 0)
		recorder_count_fork();
	if (child == 0 && recorder.on)
		recorder_begin_child();
	errno = saved;
	return child;
}

EXPORT pid_t fork(void)
{
	return forked(libc()->fork());
}

EXPORT pid_t __fork(void)
{
	return forked(libc()->__fork());
}

/* Whoever returns from it is a child. */
EXPORT int daemon(int keep_directory, int keep_streams)
{
	const int result = libc()->daemon(keep_directory, keep_streams);

	if (result == 0)
		(void)forked(0);
	return result;
}
