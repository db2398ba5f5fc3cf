/*
 * Knows sockets, namespaces and descriptors; must not know the recorder.
 */
#include "tools/check/connections.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

#include "tools/base/options.h"
#include "tools/base/table.h"
#include "tools/check/process_files.h"

/* As the kernel numbers them (net/tcp_states.h). */
enum { STATE_ESTABLISHED = 1, STATE_LISTEN = 10, STATES_ALL = 0xfff };

/* A socket of a mail connection, by its inode, which no two namespaces share. */
struct mail_socket {
	unsigned long inode;
	struct mail_connection connection;
	bool has_process;
	UT_hash_handle hh;
};

/* A network namespace that was asked already. */
struct network {
	char name[32]; /* "net:[4026531840]" */
	UT_hash_handle hh;
};

struct look {
	const struct config *config;
	struct mail_socket *sockets;
	struct network *networks;
};

static void add_socket(struct look *look, const struct inet_diag_msg *message)
{
	char address[INET6_ADDRSTRLEN] = "?";
	struct mail_socket *socket = NULL;
	unsigned long inode = message->idiag_inode;
	uint16_t port = ntohs(message->id.idiag_dport);
	const void *bytes = message->id.idiag_dst;
	int family = message->idiag_family;

	/* Without an inode no process has it any more: TIME_WAIT and the like. */
	if (!config_is_mail_port(look->config, port) || inode == 0)
		return;
	HASH_FIND(hh, look->sockets, &inode, sizeof(inode), socket);
	if (socket)
		return;
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes)) {
		family = AF_INET;
		bytes = &message->id.idiag_dst[3];
	}
	inet_ntop(family, bytes, address, sizeof(address));
	socket = table_allocate(sizeof(*socket));
	memset(socket, 0, sizeof(*socket));
	socket->inode = inode;
	socket->connection.user = message->idiag_uid;
	(void)snprintf(socket->connection.remote, sizeof(socket->connection.remote),
		       family == AF_INET6 ? "[%s]:%u" : "%s:%u", address, port);
	HASH_ADD(hh, look->sockets, inode, sizeof(socket->inode), socket);
}

/* False at the end of the answer, or where it says an error. */
static bool take_messages(struct look *look, const char *bytes, size_t length, bool *ok)
{
	const struct nlmsghdr *header = (const void *)bytes;
	unsigned left = (unsigned)length;

	for (; NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return false;
		if (header->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(header);

			/* A kernel without IPv6 knows no such sockets. */
			*ok = error->error == -ENOENT;
			errno = -error->error;
			return false;
		}
		add_socket(look, NLMSG_DATA(header));
	}
	return true;
}

/* All TCP sockets of a family in the namespace that `netlink` was made in. */
static bool ask(struct look *look, int netlink, int family)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = {.nlmsg_len = sizeof(message),
			   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
		.request = {.sdiag_family = (uint8_t)family,
			    .sdiag_protocol = IPPROTO_TCP,
			    .idiag_states = STATES_ALL & ~(1U << STATE_LISTEN)},
	};
	_Alignas(struct nlmsghdr) char answer[32768];
	bool ok = true;

	if (send(netlink, &message, sizeof(message), 0) < 0)
		return false;
	for (;;) {
		ssize_t length = recv(netlink, answer, sizeof(answer), 0);

		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return false;
		if (!take_messages(look, answer, (size_t)length, &ok))
			return ok;
	}
}

static bool ask_here(struct look *look)
{
	int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool ok = netlink >= 0 && ask(look, netlink, AF_INET) && ask(look, netlink, AF_INET6);

	if (netlink >= 0)
		close(netlink);
	return ok;
}

/* True if this namespace is met for the first time. */
static bool is_new_network(struct look *look, const char *name)
{
	struct network *network = NULL;

	HASH_FIND_STR(look->networks, name, network);
	if (network)
		return false;
	network = table_allocate(sizeof(*network));
	(void)snprintf(network->name, sizeof(network->name), "%s", name);
	HASH_ADD_STR(look->networks, name, network);
	return true;
}

/* The namespace of another process, if we may enter it; then back to our own. */
static void ask_in_network_of(struct look *look, pid_t pid, int own)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (setns(fd, CLONE_NEWNET) == 0) {
		ask_here(look);
		if (setns(own, CLONE_NEWNET) != 0) {
			complain("check: the way back to the own network namespace is closed (%s)",
				 strerror(errno));
			exit(2);
		}
	}
	close(fd);
}

/* Calls `visit` with each process's number. */
static bool each_process(struct look *look,
			 bool (*visit)(struct look *look, pid_t pid, const void *more),
			 const void *more)
{
	DIR *directory = opendir("/proc");
	const struct dirent *entry;

	if (!directory)
		return false;
	while ((entry = readdir(directory)) != NULL) {
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    !visit(look, (pid_t)strtol(entry->d_name, NULL, 10), more))
			break;
	}
	closedir(directory);
	return true;
}

static bool ask_network(struct look *look, pid_t pid, const void *more)
{
	char name[PATH_MAX];

	if (process_link(pid, "ns/net", name) && is_new_network(look, name))
		ask_in_network_of(look, pid, *(const int *)more);
	return true;
}

struct visitor {
	void (*visit)(void *context, const struct mail_connection *connection);
	void *context;
};

/* A descriptor that is one of the sockets: the process has that connection. */
static void join_descriptor(struct look *look, pid_t pid, const char *target,
			    const struct visitor *visitor)
{
	static const char before[] = "socket:[";
	struct mail_socket *socket = NULL;
	unsigned long inode;
	char *end;

	if (strncmp(target, before, strlen(before)) != 0)
		return;
	target += strlen(before);
	inode = strtoul(target, &end, 10);
	if (end == target)
		return;
	HASH_FIND(hh, look->sockets, &inode, sizeof(inode), socket);
	if (!socket)
		return;
	/* Once for a process, however many descriptors of it lead there. */
	if (socket->has_process && socket->connection.pid == pid)
		return;
	socket->has_process = true;
	socket->connection.pid = pid;
	visitor->visit(visitor->context, &socket->connection);
}

static bool join_process(struct look *look, pid_t pid, const void *more)
{
	char path[64];
	char target[PATH_MAX];
	const struct dirent *entry;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	directory = opendir(path);
	if (!directory)
		return true;
	while ((entry = readdir(directory)) != NULL) {
		ssize_t length =
			readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length <= 0)
			continue;
		target[length] = '\0';
		join_descriptor(look, pid, target, more);
	}
	closedir(directory);
	return true;
}

static void forget(struct look *look)
{
	struct mail_socket *socket = look->sockets;
	struct mail_socket *next_socket;
	struct network *network = look->networks;
	struct network *next_network;

	HASH_CLEAR(hh, look->sockets);
	for (; socket; socket = next_socket) {
		next_socket = socket->hh.next;
		free(socket);
	}
	HASH_CLEAR(hh, look->networks);
	for (; network; network = next_network) {
		next_network = network->hh.next;
		free(network);
	}
}

/* All sockets of all networks, and who has them. */
static bool look_around(struct look *look, const struct visitor *visitor)
{
	char name[PATH_MAX];
	int own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	bool ok;

	if (own >= 0 && process_link(getpid(), "ns/net", name))
		is_new_network(look, name);
	ok = ask_here(look);
	if (!ok)
		complain("check: the kernel does not say which connections there are (sock_diag: "
			 "%s); load its modules inet_diag and tcp_diag",
			 strerror(errno));
	if (ok && own >= 0)
		each_process(look, ask_network, &own);
	if (ok)
		each_process(look, join_process, visitor);
	if (own >= 0)
		close(own);
	return ok;
}

static bool has_nameless(const struct look *look)
{
	for (const struct mail_socket *socket = look->sockets; socket; socket = socket->hh.next) {
		if (!socket->has_process)
			return true;
	}
	return false;
}

/*
 * A socket that no process was found for: if it is there at a second look and
 * again nobody's, we may not see whose it is; else it ended meanwhile.
 */
static unsigned long visit_nameless(const struct look *first, const struct look *second,
				    const struct visitor *visitor)
{
	unsigned long ended = 0;

	for (struct mail_socket *socket = first->sockets; socket; socket = socket->hh.next) {
		struct mail_socket *again = NULL;

		if (socket->has_process)
			continue;
		HASH_FIND(hh, second->sockets, &socket->inode, sizeof(socket->inode), again);
		if (!again)
			ended++;
		else if (!again->has_process)
			visitor->visit(visitor->context, &again->connection);
	}
	return ended;
}

bool connections_visit(const struct config *config,
		       void (*visit)(void *context, const struct mail_connection *connection),
		       void *context, unsigned long *ended)
{
	struct look first = {.config = config};
	struct look second = {.config = config};
	struct visitor visitor = {visit, context};
	bool ok = look_around(&first, &visitor);

	if (ok && has_nameless(&first)) {
		ok = look_around(&second, &visitor);
		if (ok)
			*ended += visit_nameless(&first, &second, &visitor);
	}
	forget(&first);
	forget(&second);
	return ok;
}
