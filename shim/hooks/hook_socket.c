/*
 * Hooks of libc's calls that receive and send. Each calls the real function
 * and hands what passed to the model; for a descriptor that is no mail
 * connection it costs one bounds check and one load.
 */
#include <errno.h>
#include <string.h>

#include "shim/core/connection.h"
#include "shim/core/enforcement.h"
#include "shim/hooks/real_libc.h"
#include "shim/core/readable.h"
#include "shim/core/recorder.h"

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

/* A refused connection: the call fails as if the peer had ended it. */
static int refused(void)
{
	errno = ECONNRESET;
	return -1;
}

static bool is_passing_error(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ENOBUFS ||
	       error == ENOMEM || error == EFAULT || error == EINVAL || error == EMSGSIZE;
}

/* In audit mode nothing is looked at before the kernel has found it readable. */
static bool may_send_message(const struct connection_call *call, const struct msghdr *message)
{
	if (!enforcement_refuses(&recorder.config) ||
	    readable_bytes(message, sizeof(*message)) < sizeof(*message))
		return true;
	return connection_may_send(call, message->msg_iov, message->msg_iovlen);
}

/* A call that sends has returned `result`; keeps errno. */
static ssize_t sent(const struct connection_call *call, ssize_t result, const struct iovec *parts,
		    int flags)
{
	int saved = errno;

	/* Out-of-band bytes are no part of the stream. */
	if (result > 0 && !(flags & MSG_OOB))
		connection_sent(call, parts, (size_t)result);
	else if (result < 0 && !is_passing_error(saved))
		connection_ended(call, saved);
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
static ssize_t received(const struct connection_call *call, ssize_t result,
			const struct iovec *parts, size_t count, int flags)
{
	int saved = errno;

	if (result > 0 && (flags & MSG_TRUNC))
		connection_lost_track(call); /* TCP drops the bytes unseen: tcp(7) */
	else if (result > 0 && !(flags & (MSG_PEEK | MSG_OOB)))
		connection_received(call, parts, (size_t)result);
	else if (result == 0 && has_room(parts, count))
		connection_ended(call, 0);
	else if (result < 0 && !is_passing_error(saved))
		connection_ended(call, saved);
	/* These bytes may have been the answer that is below the floor. */
	if (connection_was_refused(call))
		return refused();
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
	const struct iovec part = {buffer, count};
	struct connection_call call;

	if (!connection_call_begin(&call, fd))
		return refused();
	return received(&call, real ? real(fd, buffer, count) : missing(), &part, 1, 0);
}

EXPORT ssize_t read(int fd, void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd) && real_libc.read)
		return real_libc.read(fd, buffer, count);
	return watched_read(&real_libc.read, fd, buffer, count);
}

EXPORT ssize_t __read(int fd, void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd) && real_libc.__read)
		return real_libc.__read(fd, buffer, count);
	return watched_read(&real_libc.__read, fd, buffer, count);
}

EXPORT ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room)
{
	const struct iovec part = {buffer, count};
	struct connection_call call;

	if (descriptor_unmonitored(fd))
		return libc()->__read_chk(fd, buffer, count, room);
	if (!connection_call_begin(&call, fd))
		return refused();
	return received(&call, libc()->__read_chk(fd, buffer, count, room), &part, 1, 0);
}

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count)
{
	struct connection_call call;
	ssize_t result;

	if (descriptor_unmonitored(fd))
		return libc()->readv(fd, parts, count);
	if (!connection_call_begin(&call, fd))
		return refused();
	result = libc()->readv(fd, parts, count);
	/* A failure may be that of an address that is none. */
	return received(&call, result, parts, result >= 0 && count > 0 ? (size_t)count : 0, 0);
}

APART static ssize_t watched_recv(int fd, void *buffer, size_t count, int flags)
{
	const struct iovec part = {buffer, count};
	struct connection_call call;

	if (!connection_call_begin(&call, fd))
		return refused();
	return received(&call, libc()->recv(fd, buffer, count, flags), &part, 1, flags);
}

EXPORT ssize_t recv(int fd, void *buffer, size_t count, int flags)
{
	if (descriptor_unmonitored(fd) && real_libc.recv)
		return real_libc.recv(fd, buffer, count, flags);
	return watched_recv(fd, buffer, count, flags);
}

EXPORT ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t room, int flags)
{
	const struct iovec part = {buffer, count};
	struct connection_call call;

	if (descriptor_unmonitored(fd))
		return libc()->__recv_chk(fd, buffer, count, room, flags);
	if (!connection_call_begin(&call, fd))
		return refused();
	return received(&call, libc()->__recv_chk(fd, buffer, count, room, flags), &part, 1, flags);
}

/*
 * glibc's headers declare some address arguments as a union of pointers; these
 * definitions have to agree.
 */
EXPORT ssize_t recvfrom(int fd, void *buffer, size_t count, int flags, __SOCKADDR_ARG address,
			socklen_t *length)
{
	const struct iovec part = {buffer, count};
	struct connection_call call;

	if (descriptor_unmonitored(fd))
		return libc()->recvfrom(fd, buffer, count, flags, address, length);
	if (!connection_call_begin(&call, fd))
		return refused();
	return received(&call, libc()->recvfrom(fd, buffer, count, flags, address, length), &part,
			1, flags);
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t room, int flags,
			      struct sockaddr *address, socklen_t *length)
{
	const struct iovec part = {buffer, count};
	struct connection_call call;

	if (descriptor_unmonitored(fd))
		return libc()->__recvfrom_chk(fd, buffer, count, room, flags, address, length);
	if (!connection_call_begin(&call, fd))
		return refused();
	return received(&call,
			libc()->__recvfrom_chk(fd, buffer, count, room, flags, address, length),
			&part, 1, flags);
}

/* Another process may go on with the descriptors that it is sent. */
static void note_handed_on(const struct msghdr *message)
{
	struct msghdr *unconst = (struct msghdr *)(uintptr_t)message;
	int saved = errno;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(unconst); control;
	     control = CMSG_NXTHDR(unconst, control)) {
		size_t count;

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
			connection_handed_on(fd);
		}
	}
	errno = saved;
}

/* Descriptors that came in a message may be connections of another process. */
APART static void look_for_descriptors(struct msghdr *message)
{
	int saved = errno;

	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		size_t count;

		if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
			continue;
		count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(control) + i * sizeof(int), sizeof(int));
			connection_arrived(fd);
		}
	}
	errno = saved;
}

APART static ssize_t watched_recvmsg(int fd, struct msghdr *message, int flags)
{
	struct connection_call call;
	ssize_t result;

	if (!connection_call_begin(&call, fd))
		return refused();
	result = libc()->recvmsg(fd, message, flags);
	if (result < 0) /* the message may be no readable address */
		return received(&call, result, NULL, 0, flags);
	if (message->msg_controllen > 0)
		look_for_descriptors(message);
	return received(&call, result, message->msg_iov, message->msg_iovlen, flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result;

	if (!descriptor_unmonitored(fd))
		return watched_recvmsg(fd, message, flags);
	result = libc()->recvmsg(fd, message, flags);
	if (result >= 0 && message->msg_controllen > 0)
		look_for_descriptors(message);
	return result;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *messages, unsigned count, mmsg_flags flags,
		    struct timespec *timeout)
{
	struct connection_call call = {.fd = fd};
	int result;

	if (!descriptor_unmonitored(fd) && !connection_call_begin(&call, fd))
		return refused();
	result = libc()->recvmmsg(fd, messages, count, flags, timeout);
	for (int i = 0; i < result; i++) {
		struct msghdr *message = &messages[i].msg_hdr;

		if (call.entry != DESCRIPTOR_UNMONITORED && !(flags & (MSG_PEEK | MSG_OOB)))
			connection_received(&call, message->msg_iov, messages[i].msg_len);
		else if (message->msg_controllen > 0)
			look_for_descriptors(message);
	}
	if (call.entry == DESCRIPTOR_UNMONITORED)
		return result;
	return (int)received(&call, result < 0 ? -1 : result, NULL, 0, MSG_PEEK);
}

/* ---- sending ---- */

APART static ssize_t watched_write(__typeof__(write) **slot, int fd, const void *buffer,
				   size_t count)
{
	__typeof__(write) *real = libc() ? *slot : NULL;
	const struct iovec part = {(void *)(uintptr_t)buffer, count};
	struct connection_call call;

	if (!connection_call_begin(&call, fd) || !connection_may_send(&call, &part, 1))
		return refused();
	return sent(&call, real ? real(fd, buffer, count) : missing(), &part, 0);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd) && real_libc.write)
		return real_libc.write(fd, buffer, count);
	return watched_write(&real_libc.write, fd, buffer, count);
}

EXPORT ssize_t __write(int fd, const void *buffer, size_t count)
{
	if (descriptor_unmonitored(fd) && real_libc.__write)
		return real_libc.__write(fd, buffer, count);
	return watched_write(&real_libc.__write, fd, buffer, count);
}

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	struct connection_call call;

	if (descriptor_unmonitored(fd))
		return libc()->writev(fd, parts, count);
	if (!connection_call_begin(&call, fd) ||
	    !connection_may_send(&call, parts, count > 0 ? (size_t)count : 0))
		return refused();
	return sent(&call, libc()->writev(fd, parts, count), parts, 0);
}

APART static ssize_t watched_send(__typeof__(send) **slot, int fd, const void *buffer, size_t count,
				  int flags)
{
	__typeof__(send) *real = libc() ? *slot : NULL;
	const struct iovec part = {(void *)(uintptr_t)buffer, count};
	struct connection_call call;

	if (!connection_call_begin(&call, fd) || !connection_may_send(&call, &part, 1))
		return refused();
	return sent(&call, real ? real(fd, buffer, count, flags) : missing(), &part, flags);
}

EXPORT ssize_t send(int fd, const void *buffer, size_t count, int flags)
{
	if (descriptor_unmonitored(fd) && real_libc.send)
		return real_libc.send(fd, buffer, count, flags);
	return watched_send(&real_libc.send, fd, buffer, count, flags);
}

EXPORT ssize_t __send(int fd, const void *buffer, size_t count, int flags)
{
	if (descriptor_unmonitored(fd) && real_libc.__send)
		return real_libc.__send(fd, buffer, count, flags);
	return watched_send(&real_libc.__send, fd, buffer, count, flags);
}

/*
 * A call that connects and sends at once (TCP fast open) is about to be made:
 * the connection has to be known by then, because its first bytes may be such
 * that they must not leave. False if it must not be made.
 */
static bool opens_by_sending(struct connection_call *call, int fd, const struct sockaddr *address,
			     socklen_t length, const void *caller)
{
	const int saved = errno;
	bool proceeds = true;

	*call = (struct connection_call){.fd = fd};
	if (readable_bytes(address, length) == length)
		proceeds = connection_opened(fd, address, length, caller) &&
			   connection_call_begin(call, fd);
	errno = saved;
	return proceeds;
}

/* It has returned `result`: as `sent`. */
static ssize_t opened_by_sending(const struct connection_call *call, ssize_t result,
				 const struct iovec *parts, int flags)
{
	const int saved = errno;

	if (result >= 0)
		return sent(call, result, parts, flags);
	if (saved != EINPROGRESS) /* nothing was opened */
		connection_closing(call->fd);
	errno = saved;
	return result;
}

EXPORT ssize_t sendto(int fd, const void *buffer, size_t count, int flags,
		      __CONST_SOCKADDR_ARG address, socklen_t length)
{
	const struct iovec part = {(void *)(uintptr_t)buffer, count};
	struct connection_call call;
	const bool opens = ADDRESS_OF(address) && (flags & MSG_FASTOPEN);
	ssize_t result;

	if (descriptor_unmonitored(fd) && !opens)
		return libc()->sendto(fd, buffer, count, flags, address, length);
	if (opens ? !opens_by_sending(&call, fd, ADDRESS_OF(address), length, CALLER)
		  : !connection_call_begin(&call, fd))
		return refused();
	if (!connection_may_send(&call, &part, 1))
		return refused();
	result = libc()->sendto(fd, buffer, count, flags, address, length);
	return opens ? opened_by_sending(&call, result, &part, flags)
		     : sent(&call, result, &part, flags);
}

/* Where the message says to connect to, if it can be read; NULL: nowhere. */
static const struct sockaddr *address_of(const struct msghdr *message)
{
	if (readable_bytes(message, sizeof(*message)) < sizeof(*message))
		return NULL;
	return message->msg_name;
}

static ssize_t handing_on(ssize_t result, const struct msghdr *message)
{
	if (result >= 0 && message->msg_controllen > 0)
		note_handed_on(message);
	return result;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const bool opens = (flags & MSG_FASTOPEN) && address_of(message);
	struct connection_call call;
	ssize_t result;

	if (descriptor_unmonitored(fd) && !opens)
		return handing_on(libc()->sendmsg(fd, message, flags), message);
	if (opens ? !opens_by_sending(&call, fd, message->msg_name, message->msg_namelen, CALLER)
		  : !connection_call_begin(&call, fd))
		return refused();
	if (!may_send_message(&call, message))
		return refused();
	result = libc()->sendmsg(fd, message, flags);
	/* What failed may be no readable message. */
	return opens ? opened_by_sending(&call, result, result < 0 ? NULL : message->msg_iov, flags)
		     : sent(&call, result, result < 0 ? NULL : message->msg_iov, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, mmsg_flags flags)
{
	struct connection_call call;
	int result;

	if (descriptor_unmonitored(fd))
		return libc()->sendmmsg(fd, messages, count, flags);
	if (!connection_call_begin(&call, fd))
		return refused();
	/* One at a time, which a caller has to expect (sendmmsg(2)): what the second one says
	   depends on the first. */
	if (enforcement_refuses(&recorder.config) && count > 1)
		count = 1;
	if (count > 0 && !may_send_message(&call, &messages[0].msg_hdr))
		return refused();
	result = libc()->sendmmsg(fd, messages, count, flags);
	for (int i = 0; i < result; i++)
		(void)sent(&call, messages[i].msg_len, messages[i].msg_hdr.msg_iov, flags);
	return result < 0 ? (int)sent(&call, result, NULL, flags) : result;
}
