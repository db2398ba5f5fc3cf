/*
 * The listening half of the sink. It knows sockets, threads and signals, and
 * neither TLS nor SMTP.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/base/options.h"
#include "tools/sink/sink_server.h"

#define BACKLOG     1024
#define WORKERS_MAX 1024
#define STACK_SIZE  ((size_t)256 * 1024)

/* How long to wait before another try when the system has nothing left to accept with. */
#define EXHAUSTED_WAIT_MS 100

/* One connection and its thread. The server's own thread makes it, joins it and frees it. */
struct worker {
	struct server *server;
	struct worker *previous; /* among the running */
	struct worker *next;     /* among the running, or among the finished */
	pthread_t thread;
	int fd;
	unsigned long number;
	uint16_t peer_port;
};

struct server {
	struct sink *sink;
	int listener; /* -1 once no more are wanted */
	int signals;
	int finished_event; /* an eventfd: counts up when a worker has finished */
	unsigned long accepted;
	unsigned active; /* started and not joined */
	bool exhausted;  /* the last accept failed for want of resources */
	pthread_attr_t attributes;
	pthread_mutex_t mutex; /* guards the two lists, and the fd of all that is in them */
	struct worker *running;
	struct worker *finished;
};

static void stop_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
}

void sink_server_prepare(void)
{
	sigset_t set;

	stop_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A client, or the reader of our entry, may leave at any time. */
	(void)signal(SIGPIPE, SIG_IGN);
}

static bool resolve(const struct sink_settings *settings, struct addrinfo **address)
{
	char port[sizeof("65535")];
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
		.ai_socktype = SOCK_STREAM,
	};

	(void)snprintf(port, sizeof(port), "%u", settings->port);
	if (getaddrinfo(settings->address, port, &hints, address) == 0)
		return true;
	complain("'%s' is no address; --address takes one such as 127.0.0.1 or ::1",
		 settings->address);
	return false;
}

union socket_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static uint16_t port_of(const union socket_address *address)
{
	return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port
							: address->v4.sin_port);
}

static int open_listener(const struct addrinfo *address)
{
	const int on = 1;
	/* Non-blocking: a client may have left again between poll and accept. */
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, address->ai_addr, address->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
		int reason = errno;
		close(fd);
		errno = reason;
		return -1;
	}
	return fd;
}

int sink_server_listen(const struct sink_settings *settings, uint16_t *port)
{
	struct addrinfo *address = NULL;
	union socket_address bound = {0};
	socklen_t length = sizeof(bound);

	if (!resolve(settings, &address))
		return -1;
	int fd = open_listener(address);
	freeaddrinfo(address);
	if (fd < 0 || getsockname(fd, &bound.any, &length) != 0) {
		complain("can't listen on %s port %u (%s); give another --port, or none for any "
			 "that is free",
			 settings->address, settings->port, strerror(errno));
		return -1;
	}
	*port = port_of(&bound);
	return fd;
}

/* Each connection takes a descriptor, and the usual soft limit is as low as WORKERS_MAX. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	/* If it stays low, accepting waits for connections to end. */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void link_running(struct server *server, struct worker *worker)
{
	worker->next = server->running;
	if (worker->next != NULL)
		worker->next->previous = worker;
	server->running = worker;
}

static void unlink_running(struct server *server, struct worker *worker)
{
	if (worker->next != NULL)
		worker->next->previous = worker->previous;
	if (worker->previous != NULL)
		worker->previous->next = worker->next;
	else
		server->running = worker->next;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct server *server = worker->server;
	const uint64_t one = 1;

	sink_connection_serve(server->sink, worker->fd, worker->number, worker->peer_port);

	pthread_mutex_lock(&server->mutex);
	unlink_running(server, worker);
	close(worker->fd);
	worker->next = server->finished;
	server->finished = worker;
	pthread_mutex_unlock(&server->mutex);
	/* An eventfd takes any count that 1,024 threads can reach. */
	(void)!write(server->finished_event, &one, sizeof(one));
	return NULL;
}

static bool start_worker(struct server *server, int fd, uint16_t peer_port)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (worker == NULL)
		return false;
	worker->server = server;
	worker->fd = fd;
	worker->number = server->accepted;
	worker->peer_port = peer_port;
	pthread_mutex_lock(&server->mutex);
	/* Under the mutex, so that the thread can't finish before it is linked. */
	int error = pthread_create(&worker->thread, &server->attributes, work, worker);
	if (error == 0)
		link_running(server, worker);
	pthread_mutex_unlock(&server->mutex);
	if (error != 0) {
		free(worker);
		return false;
	}
	server->active++;
	return true;
}

static void close_listener(struct server *server)
{
	if (server->listener >= 0)
		close(server->listener);
	server->listener = -1;
}

/* Accepts one; false if there was none to accept, or nothing to accept it with. */
static bool accept_one(struct server *server)
{
	union socket_address peer = {0};
	socklen_t length = sizeof(peer);
	unsigned long wanted = server->sink->settings.connections;

	int fd = accept4(server->listener, &peer.any, &length, SOCK_CLOEXEC);
	if (fd < 0) {
		server->exhausted =
			errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
		return errno == ECONNABORTED || errno == EINTR;
	}
	server->accepted++;
	if (!start_worker(server, fd, port_of(&peer))) {
		sink_connection_give_up(server->sink, server->accepted, port_of(&peer),
					"no thread to serve it");
		close(fd);
	}
	if (wanted != 0 && server->accepted == wanted)
		close_listener(server);
	return true;
}

static void accept_waiting(struct server *server)
{
	server->exhausted = false;
	while (server->listener >= 0 && server->active < WORKERS_MAX && accept_one(server))
		;
}

static void join_finished(struct server *server)
{
	uint64_t count = 0;

	(void)!read(server->finished_event, &count, sizeof(count));
	pthread_mutex_lock(&server->mutex);
	struct worker *worker = server->finished;
	server->finished = NULL;
	pthread_mutex_unlock(&server->mutex);
	while (worker != NULL) {
		struct worker *next = worker->next;
		pthread_join(worker->thread, NULL);
		free(worker);
		server->active--;
		worker = next;
	}
}

/*
 * Ends all connections. Those that wait to be accepted were connections to
 * their clients already: they are accepted, so that the entry has them.
 */
static void stop(struct server *server)
{
	struct signalfd_siginfo taken;

	(void)!read(server->signals, &taken, sizeof(taken));
	atomic_store(&server->sink->stopping, true);
	accept_waiting(server);
	close_listener(server);
	pthread_mutex_lock(&server->mutex);
	for (struct worker *worker = server->running; worker != NULL; worker = worker->next)
		shutdown(worker->fd, SHUT_RDWR);
	pthread_mutex_unlock(&server->mutex);
}

static bool serve_loop(struct server *server)
{
	while (server->listener >= 0 || server->active > 0) {
		bool accepting = server->active < WORKERS_MAX && !server->exhausted;
		struct pollfd events[] = {
			{.fd = server->signals, .events = POLLIN},
			{.fd = server->finished_event, .events = POLLIN},
			{.fd = accepting ? server->listener : -1, .events = POLLIN},
		};

		if (poll(events, 3, server->exhausted ? EXHAUSTED_WAIT_MS : -1) < 0 &&
		    errno != EINTR) {
			complain("the sink can't wait for connections: %s", strerror(errno));
			return false;
		}
		if (events[1].revents != 0)
			join_finished(server);
		if (events[0].revents != 0)
			stop(server);
		else
			accept_waiting(server);
	}
	return true;
}

bool sink_server_run(struct sink *sink, int listener)
{
	sigset_t set;
	struct server server = {
		.sink = sink,
		.listener = listener,
		.finished_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};

	stop_signals(&set);
	server.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server.finished_event < 0 || server.signals < 0) {
		complain("the sink can't start: %s", strerror(errno));
		return false;
	}
	raise_descriptor_limit();
	pthread_mutex_init(&server.mutex, NULL);
	pthread_attr_init(&server.attributes);
	pthread_attr_setstacksize(&server.attributes, STACK_SIZE);
	bool ok = serve_loop(&server);
	pthread_attr_destroy(&server.attributes);
	pthread_mutex_destroy(&server.mutex);
	close(server.signals);
	close(server.finished_event);
	return ok;
}
