/*
 * Hooks of libc's calls that receive and send. Each calls the real function and
 * hands what passed to the model; for a descriptor that is no mail connection it
 * costs one bounds check and one load.
 *
 * What a call means for a connection is said once for each of the two families:
 * in `received` and `sent`, and for all calls of one buffer in `receive` and
 * `send_bytes`, which stand apart from the hooks so that the way of every other
 * descriptor through those saves no register.
 */
#include <errno.h>
#include <string.h>

#include "shim/core/connection.h"
#include "shim/core/enforcement.h"
#include "shim/core/readable.h"
#include "shim/core/recorder.h"
#include "shim/hooks/real_libc.h"

#ifndef MSG_FASTOPEN
#define MSG_FASTOPEN 0x20000000
#endif

#define CALLER __builtin_return_address(0)

#define APART __attribute__((noinline))

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
	if (!enforcement_refuses(&recorder.policy) ||
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

/* ---- receiving into one buffer ---- */

/* One such call, with the arguments that it has. */
struct receiving {
	enum {
		READ,
		READ_RESERVED,
		READ_CHK,
		RECV,
		RECV_CHK,
		RECVFROM,
		RECVFROM_CHK,
	} call;
	int fd;
	void *buffer;
	size_t count;
	size_t room; /* of the fortified ones */
	int flags;
	__SOCKADDR_ARG address;
	socklen_t *length;
};

static ssize_t really_receive(const struct receiving *r)
{
	switch (r->call) {
	case READ:
		return libc()->read(r->fd, r->buffer, r->count);
	case READ_RESERVED:
		return libc()->__read(r->fd, r->buffer, r->count);
	case READ_CHK:
		return libc()->__read_chk(r->fd, r->buffer, r->count, r->room);
	case RECV:
		return libc()->recv(r->fd, r->buffer, r->count, r->flags);
	case RECV_CHK:
		return libc()->__recv_chk(r->fd, r->buffer, r->count, r->room, r->flags);
	case RECVFROM:
		return libc()->recvfrom(r->fd, r->buffer, r->count, r->flags, r->address,
					r->length);
	case RECVFROM_CHK:
		return libc()->__recvfrom_chk(r->fd, r->buffer, r->count, r->room, r->flags,
					      ADDRESS_OF(r->address), r->length);
	}
	__builtin_unreachable();
}

APART static ssize_t receive(const struct receiving *receiving)
{
	const struct iovec part = {receiving->buffer, receiving->count};
	struct connection_call call;

	if (!connection_call_begin(&call, receiving->fd))
		return refused();
	return received(&call, really_receive(receiving), &part, 1, receiving->flags);
}

EXPORT ssize_t read(int fd, void *buffer, size_t count)
{
	if (passes(fd))
		return libc()->read(fd, buffer, count);
	return receive(
		&(struct receiving){.call = READ, .fd = fd, .buffer = buffer, .count = count});
}

EXPORT ssize_t __read(int fd, void *buffer, size_t count)
{
	if (passes(fd))
		return libc()->__read(fd, buffer, count);
	return receive(&(struct receiving){
		.call = READ_RESERVED, .fd = fd, .buffer = buffer, .count = count});
}

EXPORT ssize_t __read_chk(int fd, void *buffer, size_t count, size_t room)
{
	if (passes(fd))
		return libc()->__read_chk(fd, buffer, count, room);
	return receive(&(struct receiving){
		.call = READ_CHK, .fd = fd, .buffer = buffer, .count = count, .room = room});
}

EXPORT ssize_t recv(int fd, void *buffer, size_t count, int flags)
{
	if (passes(fd))
		return libc()->recv(fd, buffer, count, flags);
	return receive(&(struct receiving){
		.call = RECV, .fd = fd, .buffer = buffer, .count = count, .flags = flags});
}

EXPORT ssize_t __recv_chk(int fd, void *buffer, size_t count, size_t room, int flags)
{
	if (passes(fd))
		return libc()->__recv_chk(fd, buffer, count, room, flags);
	return receive(&(struct receiving){.call = RECV_CHK,
					   .fd = fd,
					   .buffer = buffer,
					   .count = count,
					   .room = room,
					   .flags = flags});
}

/*
 * glibc's headers declare some address arguments as a union of pointers; these
 * definitions have to agree.
 */
EXPORT ssize_t recvfrom(int fd, void *buffer, size_t count, int flags, __SOCKADDR_ARG address,
			socklen_t *length)
{
	if (passes(fd))
		return libc()->recvfrom(fd, buffer, count, flags, address, length);
	return receive(&(struct receiving){.call = RECVFROM,
					   .fd = fd,
					   .buffer = buffer,
					   .count = count,
					   .flags = flags,
					   .address = address,
					   .length = length});
}

EXPORT ssize_t __recvfrom_chk(int fd, void *buffer, size_t count, size_t room, int flags,
			      struct sockaddr *address, socklen_t *length)
{
	if (passes(fd))
		return libc()->__recvfrom_chk(fd, buffer, count, room, flags, address, length);
	return receive(&(struct receiving){.call = RECVFROM_CHK,
					   .fd = fd,
					   .buffer = buffer,
					   .count = count,
					   .room = room,
					   .flags = flags,
					   .address = OF_ADDRESS(address),
					   .length = length});
}

/* ---- receiving into several ---- */

EXPORT ssize_t readv(int fd, const struct iovec *parts, int count)
{
	struct connection_call call;
	ssize_t result;

	if (passes(fd))
		return libc()->readv(fd, parts, count);
	if (!connection_call_begin(&call, fd))
		return refused();
	result = libc()->readv(fd, parts, count);
	/* A failure may be that of an address that is none. */
	return received(&call, result, parts, result >= 0 && count > 0 ? (size_t)count : 0, 0);
}

/* Tells of each descriptor that a message carries. Keeps errno. */
APART static void each_descriptor(const struct msghdr *message, void (*tell)(int fd))
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
			tell(fd);
		}
	}
	errno = saved;
}

/* Descriptors that came in a message may be connections of another process. */
static void look_for_descriptors(const struct msghdr *message)
{
	if (message->msg_controllen > 0)
		each_descriptor(message, connection_arrived);
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
	look_for_descriptors(message);
	return received(&call, result, message->msg_iov, message->msg_iovlen, flags);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t result;

	if (!descriptor_unmonitored(fd))
		return watched_recvmsg(fd, message, flags);
	result = libc()->recvmsg(fd, message, flags);
	if (result >= 0)
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
		else
			look_for_descriptors(message);
	}
	if (call.entry == DESCRIPTOR_UNMONITORED)
		return result;
	return (int)received(&call, result < 0 ? -1 : result, NULL, 0, MSG_PEEK);
}

/* ---- sending ---- */

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

/*
 * One call that sends, and with an address opens the connection as well (TCP
 * fast open).
 */
struct sending {
	struct connection_call call;
	bool opens;
};

/* As connection_call_begin; NULL: no address. */
static bool sending_begin(struct sending *sending, int fd, const struct sockaddr *address,
			  socklen_t length, const void *caller)
{
	sending->opens = address != NULL;
	return address ? opens_by_sending(&sending->call, fd, address, length, caller)
		       : connection_call_begin(&sending->call, fd);
}

/* It has returned `result`: as `sent`. */
static ssize_t sending_end(const struct sending *sending, ssize_t result, const struct iovec *parts,
			   int flags)
{
	const int saved = errno;

	if (!sending->opens || result >= 0)
		return sent(&sending->call, result, parts, flags);
	if (saved != EINPROGRESS) /* nothing was opened */
		connection_closing(sending->call.fd);
	errno = saved;
	return result;
}

/* ---- sending one buffer ---- */

/* One such call, with the arguments that it has. */
struct sending_bytes {
	enum {
		WRITE,
		WRITE_RESERVED,
		SEND,
		SEND_RESERVED,
		SENDTO,
	} call;
	int fd;
	const void *bytes;
	size_t count;
	int flags;
	__CONST_SOCKADDR_ARG address;
	socklen_t length;
	const void *caller;
};

static ssize_t really_send(const struct sending_bytes *s)
{
	switch (s->call) {
	case WRITE:
		return libc()->write(s->fd, s->bytes, s->count);
	case WRITE_RESERVED:
		return libc()->__write(s->fd, s->bytes, s->count);
	case SEND:
		return libc()->send(s->fd, s->bytes, s->count, s->flags);
	case SEND_RESERVED:
		return libc()->__send(s->fd, s->bytes, s->count, s->flags);
	case SENDTO:
		return libc()->sendto(s->fd, s->bytes, s->count, s->flags, s->address, s->length);
	}
	__builtin_unreachable();
}

APART static ssize_t send_bytes(const struct sending_bytes *s)
{
	const struct iovec part = {(void *)(uintptr_t)s->bytes, s->count};
	const struct sockaddr *opened = s->flags & MSG_FASTOPEN ? ADDRESS_OF(s->address) : NULL;
	struct sending sending;

	if (!sending_begin(&sending, s->fd, opened, s->length, s->caller) ||
	    !connection_may_send(&sending.call, &part, 1))
		return refused();
	return sending_end(&sending, really_send(s), &part, s->flags);
}

EXPORT ssize_t write(int fd, const void *buffer, size_t count)
{
	if (passes(fd))
		return libc()->write(fd, buffer, count);
	return send_bytes(
		&(struct sending_bytes){.call = WRITE, .fd = fd, .bytes = buffer, .count = count});
}

EXPORT ssize_t __write(int fd, const void *buffer, size_t count)
{
	if (passes(fd))
		return libc()->__write(fd, buffer, count);
	return send_bytes(&(struct sending_bytes){
		.call = WRITE_RESERVED, .fd = fd, .bytes = buffer, .count = count});
}

EXPORT ssize_t send(int fd, const void *buffer, size_t count, int flags)
{
	if (passes(fd))
		return libc()->send(fd, buffer, count, flags);
	return send_bytes(&(struct sending_bytes){
		.call = SEND, .fd = fd, .bytes = buffer, .count = count, .flags = flags});
}

EXPORT ssize_t __send(int fd, const void *buffer, size_t count, int flags)
{
	if (passes(fd))
		return libc()->__send(fd, buffer, count, flags);
	return send_bytes(&(struct sending_bytes){
		.call = SEND_RESERVED, .fd = fd, .bytes = buffer, .count = count, .flags = flags});
}

EXPORT ssize_t sendto(int fd, const void *buffer, size_t count, int flags,
		      __CONST_SOCKADDR_ARG address, socklen_t length)
{
	if (passes(fd) && !(ADDRESS_OF(address) && (flags & MSG_FASTOPEN)))
		return libc()->sendto(fd, buffer, count, flags, address, length);
	return send_bytes(&(struct sending_bytes){.call = SENDTO,
						  .fd = fd,
						  .bytes = buffer,
						  .count = count,
						  .flags = flags,
						  .address = address,
						  .length = length,
						  .caller = CALLER});
}

/* ---- sending several ---- */

EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
	struct connection_call call;

	if (passes(fd))
		return libc()->writev(fd, parts, count);
	if (!connection_call_begin(&call, fd) ||
	    !connection_may_send(&call, parts, count > 0 ? (size_t)count : 0))
		return refused();
	return sent(&call, libc()->writev(fd, parts, count), parts, 0);
}

/* Where the message says to connect to, if it can be read; NULL: nowhere. */
static const struct sockaddr *address_of(const struct msghdr *message)
{
	if (readable_bytes(message, sizeof(*message)) < sizeof(*message))
		return NULL;
	return message->msg_name;
}

/* Another process may go on with the descriptors that it is sent. */
static ssize_t handing_on(ssize_t result, const struct msghdr *message)
{
	if (result >= 0 && message->msg_controllen > 0)
		each_descriptor(message, connection_handed_on);
	return result;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	const struct sockaddr *opened = flags & MSG_FASTOPEN ? address_of(message) : NULL;
	struct sending sending;
	ssize_t result;

	if (descriptor_unmonitored(fd) && !opened)
		return handing_on(libc()->sendmsg(fd, message, flags), message);
	if (!sending_begin(&sending, fd, opened, opened ? message->msg_namelen : 0, CALLER) ||
	    !may_send_message(&sending.call, message))
		return refused();
	result = libc()->sendmsg(fd, message, flags);
	/* What failed may be no readable message. */
	return sending_end(&sending, result, result < 0 ? NULL : message->msg_iov, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, mmsg_flags flags)
{
	struct connection_call call;
	int result;

	if (passes(fd))
		return libc()->sendmmsg(fd, messages, count, flags);
	if (!connection_call_begin(&call, fd))
		return refused();
	/* One at a time, which a caller has to expect (sendmmsg(2)): what the second one says
	   depends on the first. */
	if (enforcement_refuses(&recorder.policy) && count > 1)
		count = 1;
	if (count > 0 && !may_send_message(&call, &messages[0].msg_hdr))
		return refused();
	result = libc()->sendmmsg(fd, messages, count, flags);
	for (int i = 0; i < result; i++)
		(void)sent(&call, messages[i].msg_len, messages[i].msg_hdr.msg_iov, flags);
	return result < 0 ? (int)sent(&call, result, NULL, flags) : result;
}
