/*
 * Hooks of libc's socket and descriptor calls. Each calls the real function
 * and hands what passed to the model; for a descriptor that is no mail
 * connection it costs one bounds check and one load.
 */
#include <errno.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/core/connection.h"
#include "shim/core/dns_cache.h"
#include "shim/core/enforcement.h"
#include "shim/core/output.h"
#include "shim/hooks/real_libc.h"
#include "shim/core/recorder.h"
#include "shim/base/sys.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

#define CALLER __builtin_return_address(0)

#define APART __attribute__((noinline))

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

/* ---- what passed ---- */

static bool is_passing_error(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS ||
	       error == ENOMEM || error == EFAULT || error == EINVAL || error == EMSGSIZE;
}

/* The first `length` bytes of `parts`, in order, to `take`. */
static void hand_over(struct connection *connection, const struct iovec *parts, size_t count,
		      size_t length,
		      void (*take)(struct connection *connection, const void *bytes, size_t length))
{
	for (size_t i = 0; i < count && length > 0; i++) {
		size_t part = parts[i].iov_len < length ? parts[i].iov_len : length;

		take(connection, parts[i].iov_base, part);
		length -= part;
	}
}

/* A refused connection: the call fails as if the peer had ended it. */
static int refused(struct connection *connection)
{
	connection_release(connection);
	errno = ECONNRESET;
	return -1;
}

static bool may_receive(const struct connection *connection)
{
	return !connection_is_blocked(connection);
}

static bool may_send(struct connection *connection, const struct iovec *parts, size_t count)
{
	return !connection_is_blocked(connection) && connection_may_send(connection, parts, count);
}

/* Where nothing is refused, nothing is looked at before the kernel has found it readable. */
static bool may_send_message(struct connection *connection, const struct msghdr *message)
{
	if (!enforcement_refuses(&recorder.config) || !message)
		return !connection_is_blocked(connection);
	return may_send(connection, message->msg_iov, message->msg_iovlen);
}

/* A call that sends has returned `result`; gives the reference back, keeps errno. */
static ssize_t sent(struct connection *connection, ssize_t result, const struct iovec *parts,
		    size_t count, int flags)
{
	int saved = errno;

	/* Out-of-band bytes are no part of the stream. */
	if (result > 0 && !(flags & MSG_OOB))
		hand_over(connection, parts, count, (size_t)result, connection_sent);
	else if (result < 0 && !is_passing_error(saved))
		connection_ended(connection, saved);
	connection_release(connection);
	errno = saved;
	return result;
}

static bool has_room(const struct iovec *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (parts[i].iov_len > 0)
			return true;
	}
	return false;
}

/* A call that receives has returned `result`; as `sent`. */
static ssize_t received(struct connection *connection, ssize_t result, const struct iovec *parts,
			size_t count, int flags)
{
	int saved = errno;

	if (result > 0 && (flags & MSG_TRUNC))
		connection_lost_track(connection); /* TCP drops the bytes unseen: tcp(7) */
	else if (result > 0 && !(flags & (MSG_PEEK | MSG_OOB)))
		hand_over(connection, parts, count, (size_t)result, connection_received);
	else if (result == 0 && has_room(parts, count))
		connection_ended(connection, 0);
	else if (result < 0 && !is_passing_error(saved))
		connection_ended(connection, saved);
	/* These bytes may have been the answer that is below the floor. */
	if (connection_is_blocked(connection))
		return refused(connection);
	connection_release(connection);
	errno = saved;
	return result;
}

/* ---- receiving ---- */

/*
 * `slot` is a member of real_libc. Kept apart, and the rest of the hooks with
 * it, so that the way of every other descriptor through them saves no register.
 */
APART static ssize_t watched_read(__typeof__(read) **slot, int fd, void *buffer, size_t count)
{
	__typeof__(read) *real = libc() ? *slot : NULL;
	struct connection *connection = connection_acquire(fd);
	struct iovec part = {buffer, count};

	if (!connection)
		return real ? real(fd, buffer, count) : missing();
	if (!may_receive(connection))
		return refused(connection);
	return received(connection, real(fd, buffer, count), &part, 1, 0);
}

EXPORT ssize_t read(int fd, void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd))
		return real_libc.read(fd, buffer, count);
	return watched_read(&real_libc.read, fd, buffer, count);
}

EXPORT ssize_t __read(int fd, void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd))
		return real_libc.__read(fd, buffer, count);
	return watched_read(&real_libc.__read, fd, buffer, count);
}

EXPORT ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room)
{
	struct connection *connection;
	struct iovec part = {buffer, count};

	if (descriptor_unmonitored(fd))
		return real_libc.__read_chk(fd, buffer, count, room);
	connection = connection_acquire(fd);
	if (!connection)
		return libc()->__read_chk(fd, buffer, count, room);
	if (!may_receive(connection))
		return refused(connection);
	return received(connection, real_libc.__read_chk(fd, buffer, count, room), &part, 1, 0);
}

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count)
{
	struct connection *connection;

	if (descriptor_unmonitored(fd))
		return real_libc.readv(fd, parts, count);
	connection = connection_acquire(fd);
	if (!connection)
		return libc()->readv(fd, parts, count);
	if (!may_receive(connection))
		return refused(connection);
	return received(connection, real_libc.readv(fd, parts, count), parts,
			count > 0 ? (size_t)count : 0, 0);
}

APART static ssize_t watched_recv(int fd, void *buffer, size_t count, int flags)
{
	struct connection *connection = connection_acquire(fd);
	struct iovec part = {buffer, count};

	if (!connection)
		return libc()->recv(fd, buffer, count, flags);
	if (!may_receive(connection))
		return refused(connection);
	return received(connection, real_libc.recv(fd, buffer, count, flags), &part, 1, flags);
}

EXPORT ssize_t recv(int fd, void *buffer, size_t count, int flags)
{
	if (descriptor_unmonitored(fd))
		return real_libc.recv(fd, buffer, count, flags);
	return watched_recv(fd, buffer, count, flags);
}

EXPORT ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t room, int flags)
{
	struct connection *connection;
	struct iovec part = {buffer, count};

	if (descriptor_unmonitored(fd))
		return real_libc.__recv_chk(fd, buffer, count, room, flags);
	connection = connection_acquire(fd);
	if (!connection)
		return libc()->__recv_chk(fd, buffer, count, room, flags);
	if (!may_receive(connection))
		return refused(connection);
	return received(connection, real_libc.__recv_chk(fd, buffer, count, room, flags), &part, 1,
			flags);
}

/*
 * glibc's headers declare some address arguments as a union of pointers; these
 * definitions have to agree.
 */
EXPORT ssize_t recvfrom(int fd, void *buffer, size_t count, int flags, __SOCKADDR_ARG address,
			socklen_t *length)
{
	struct connection *connection;
	struct iovec part = {buffer, count};

	if (descriptor_unmonitored(fd))
		return real_libc.recvfrom(fd, buffer, count, flags, address, length);
	connection = connection_acquire(fd);
	if (!connection)
		return libc()->recvfrom(fd, buffer, count, flags, address, length);
	if (!may_receive(connection))
		return refused(connection);
	return received(connection, real_libc.recvfrom(fd, buffer, count, flags, address, length),
			&part, 1, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t room, int flags,
			      struct sockaddr *address, socklen_t *length)
{
	struct connection *connection;
	struct iovec part = {buffer, count};

	if (descriptor_unmonitored(fd))
		return real_libc.__recvfrom_chk(fd, buffer, count, room, flags, address, length);
	connection = connection_acquire(fd);
	if (!connection)
		return libc()->__recvfrom_chk(fd, buffer, count, room, flags, address, length);
	if (!may_receive(connection))
		return refused(connection);
	return received(connection,
			real_libc.__recvfrom_chk(fd, buffer, count, room, flags, address, length),
			&part, 1, flags);
}

/* Descriptors that came in a message may be connections of another process. */
static void look_for_descriptors(struct msghdr *message)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		size_t count;

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
			connection_descriptor_arrived(fd);
		}
	}
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	struct connection *connection = NULL;
	ssize_t result;

	if (!descriptor_unmonitored(fd))
		connection = connection_acquire(fd);
	if (connection && !may_receive(connection))
		return refused(connection);
	result = libc()->recvmsg(fd, message, flags);
	if (connection && result < 0) /* the message may be no readable address */
		return received(connection, result, NULL, 0, flags);
	if (connection)
		return received(connection, result, message->msg_iov, message->msg_iovlen, flags);
	if (result >= 0 && message->msg_controllen > 0)
		look_for_descriptors(message);
	return result;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, mmsg_flags flags,
		    struct timespec *timeout)
{
	struct connection *connection = descriptor_unmonitored(fd) ? NULL : connection_acquire(fd);
	int result;

	if (connection && !may_receive(connection))
		return refused(connection);
	result = libc()->recvmmsg(fd, messages, count, flags, timeout);
	for (int i = 0; i < result; i++) {
		struct msghdr *message = &messages[i].msg_hdr;

		if (connection && !(flags & (MSG_PEEK | MSG_OOB)))
			hand_over(connection, message->msg_iov, message->msg_iovlen,
				  messages[i].msg_len, connection_received);
		else if (message->msg_controllen > 0)
			look_for_descriptors(message);
	}
	if (!connection)
		return result;
	return (int)received(connection, result < 0 ? -1 : result, NULL, 0, flags);
}

/* ---- sending ---- */

APART static ssize_t watched_write(__typeof__(write) **slot, int fd, const void *buffer,
				   size_t count)
{
	__typeof__(write) *real = libc() ? *slot : NULL;
	struct connection *connection = connection_acquire(fd);
	struct iovec part = {(void *)(uintptr_t)buffer, count};

	if (!connection)
		return real ? real(fd, buffer, count) : missing();
	if (!may_send(connection, &part, 1))
		return refused(connection);
	return sent(connection, real(fd, buffer, count), &part, 1, 0);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd))
		return real_libc.write(fd, buffer, count);
	return watched_write(&real_libc.write, fd, buffer, count);
}

EXPORT ssize_t __write(int fd, const void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd))
		return real_libc.__write(fd, buffer, count);
	return watched_write(&real_libc.__write, fd, buffer, count);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	struct connection *connection;

	if (descriptor_unmonitored(fd))
		return real_libc.writev(fd, parts, count);
	connection = connection_acquire(fd);
	if (!connection)
		return libc()->writev(fd, parts, count);
	if (!may_send(connection, parts, count > 0 ? (size_t)count : 0))
		return refused(connection);
	return sent(connection, real_libc.writev(fd, parts, count), parts,
		    count > 0 ? (size_t)count : 0, 0);
}

APART static ssize_t watched_send(__typeof__(send) **slot, int fd, const void *buffer, size_t count,
				  int flags)
{
	__typeof__(send) *real = libc() ? *slot : NULL;
	struct connection *connection = connection_acquire(fd);
	struct iovec part = {(void *)(uintptr_t)buffer, count};

	if (!connection)
		return real ? real(fd, buffer, count, flags) : missing();
	if (!may_send(connection, &part, 1))
		return refused(connection);
	return sent(connection, real(fd, buffer, count, flags), &part, 1, flags);
}

EXPORT ssize_t send(int fd, const void *buffer, size_t count, int flags)
{
	if (descriptor_unmonitored(fd))
		return real_libc.send(fd, buffer, count, flags);
	return watched_send(&real_libc.send, fd, buffer, count, flags);
}

EXPORT ssize_t __send(int fd, const void *buffer, size_t count, int flags)
{
	if (descriptor_unmonitored(fd))
		return real_libc.__send(fd, buffer, count, flags);
	return watched_send(&real_libc.__send, fd, buffer, count, flags);
}

/*
 * A call that connects and sends at once (TCP fast open) is about to be made:
 * the connection has to be known by then, because its first bytes may be such
 * that they must not leave. NULL if nothing is to be watched.
 */
static struct connection *opening_by_sending(int fd, const struct sockaddr *address,
					     socklen_t length, const void *caller)
{
	struct connection *connection;
	int saved = errno;

	connection_opened(fd, address, length, caller);
	connection = connection_acquire(fd);
	errno = saved;
	return connection;
}

/* It has returned `result`: as `sent`. */
static ssize_t opened_by_sending(int fd, struct connection *connection, ssize_t result,
				 const struct iovec *parts, size_t count, int flags)
{
	int saved = errno;

	if (result < 0 && saved != EINPROGRESS) {
		/* Nothing was opened. */
		connection_release(connection);
		connection_closing(fd);
		errno = saved;
		return result;
	}
	if (result < 0) {
		connection_release(connection);
		errno = saved;
		return result;
	}
	return sent(connection, result, parts, count, flags);
}

EXPORT ssize_t sendto(int fd, const void *buffer, size_t count, int flags,
		      __CONST_SOCKADDR_ARG address, socklen_t length)
{
	struct connection *connection = NULL;
	struct iovec part = {(void *)(uintptr_t)buffer, count};
	ssize_t result;

	if (ADDRESS_OF(address) && (flags & MSG_FASTOPEN)) {
		connection = opening_by_sending(fd, ADDRESS_OF(address), length, CALLER);
		if (connection && !may_send(connection, &part, 1))
			return refused(connection);
		result = libc()->sendto(fd, buffer, count, flags, address, length);
		return connection ? opened_by_sending(fd, connection, result, &part, 1, flags)
				  : result;
	}
	if (descriptor_unmonitored(fd))
		return real_libc.sendto(fd, buffer, count, flags, address, length);
	connection = connection_acquire(fd);
	if (connection && !may_send(connection, &part, 1))
		return refused(connection);
	result = libc()->sendto(fd, buffer, count, flags, address, length);
	return connection ? sent(connection, result, &part, 1, flags) : result;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct connection *connection = NULL;
	ssize_t result;

	if ((flags & MSG_FASTOPEN) && message->msg_name) {
		connection =
			opening_by_sending(fd, message->msg_name, message->msg_namelen, CALLER);
		if (connection && !may_send_message(connection, message))
			return refused(connection);
		result = libc()->sendmsg(fd, message, flags);
		return connection ? opened_by_sending(fd, connection, result, message->msg_iov,
						      message->msg_iovlen, flags)
				  : result;
	} else if (descriptor_unmonitored(fd)) {
		return real_libc.sendmsg(fd, message, flags);
	} else {
		connection = connection_acquire(fd);
		if (connection && !may_send_message(connection, message))
			return refused(connection);
		result = libc()->sendmsg(fd, message, flags);
	}
	if (!connection)
		return result;
	if (result < 0)
		return sent(connection, result, NULL, 0, flags);
	return sent(connection, result, message->msg_iov, message->msg_iovlen, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, mmsg_flags flags)
{
	struct connection *connection = descriptor_unmonitored(fd) ? NULL : connection_acquire(fd);
	int result;

	/* One at a time, which a caller has to expect (sendmmsg(2)): what the second one says
	   depends on the first. */
	if (connection && enforcement_refuses(&recorder.config) && count > 1)
		count = 1;
	if (connection && count > 0 && !may_send_message(connection, &messages[0].msg_hdr))
		return refused(connection);
	result = libc()->sendmmsg(fd, messages, count, flags);
	if (!connection)
		return result;
	for (int i = 0; i < result; i++) {
		const struct msghdr *message = &messages[i].msg_hdr;

		hand_over(connection, message->msg_iov, message->msg_iovlen, messages[i].msg_len,
			  connection_sent);
	}
	return (int)sent(connection, result, NULL, 0, flags);
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
	    is_internet(ADDRESS_OF(address), length))
		connection_opened(fd, ADDRESS_OF(address), length, caller);
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

/* ---- names ---- */

static void remember_answer(const struct addrinfo *answer, const char *name)
{
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff};

	if (answer->ai_family == AF_INET && answer->ai_addr)
		memcpy(address + 12,
		       &((const struct sockaddr_in *)(const void *)answer->ai_addr)->sin_addr, 4);
	else if (answer->ai_family == AF_INET6 && answer->ai_addr)
		memcpy(address,
		       &((const struct sockaddr_in6 *)(const void *)answer->ai_addr)->sin6_addr,
		       16);
	else
		return;
	dns_cache_remember(address, name);
}

static bool is_address(const char *name)
{
	uint8_t address[16];

	return strchr(name, ':') || inet_pton(AF_INET, name, address) == 1;
}

EXPORT int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		       struct addrinfo **answers)
{
	int result = libc()->getaddrinfo(name, service, hints, answers);
	int saved = errno;

	if (result == 0 && name && !is_address(name)) {
		for (const struct addrinfo *answer = *answers; answer; answer = answer->ai_next)
			remember_answer(answer, name);
	}
	errno = saved;
	return result;
}

/* ---- the way to the log ---- */

EXPORT int chroot(const char *path)
{
	int saved = errno;

	if (recorder.on)
		output_before_chroot(&recorder.config);
	errno = saved;
	return libc()->chroot(path);
}
