/*
 * Handshakes that do not go the straight way: odd HOW PORT
 *   fork           the child makes the handshake on the parent's SSL and socket
 *   fork-parent    the parent does, while a child closes and frees its copies
 *   vfork          a child of vfork closes descriptors before it execs
 *   vfork-first    one that finds no program is the first that does anything, here and in a child
 *   free           freed in the middle
 *   close-free     closed in the middle, then freed
 *   exit           the process ends in the middle
 *   clear          cleared in the middle and used for another connection
 *   twice          two handshakes one after the other on one socket number
 *   dup            over another name of the socket, the first one closed
 */
#include <spawn.h>
#include <sys/wait.h>

#include "tests/programs/client.h"
#include "tests/programs/old_libc.h"

static SSL_CTX *context;
static SSL *ssl;
static int fd;

static void prepare(unsigned port)
{
	fd = dial(port);
	SSL_set_fd(ssl, fd);
}

/* The first step, or more if the server is quick. */
static void begin(void)
{
	set_nonblocking(fd);
	if (SSL_connect(ssl) != 1 && SSL_get_error(ssl, -1) != SSL_ERROR_WANT_READ)
		fail("the handshake did not begin");
}

/* A connection to a server that never answers; says its port here. */
static void begin_in_vain(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int silent = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(silent, (struct sockaddr *)&address, length) != 0 || listen(silent, 1) != 0 ||
	    getsockname(silent, (struct sockaddr *)&address, &length) != 0)
		fail("listen");
	prepare(ntohs(address.sin_port));
	if (getsockname(fd, (struct sockaddr *)&address, &length) != 0)
		fail("getsockname");
	printf("%u\n", ntohs(address.sin_port));
	(void)fflush(stdout);
	begin();
}

static void finish(void)
{
	char bytes[1024];

	if (SSL_connect(ssl) != 1 || SSL_write(ssl, "QUIT\r\n", 6) != 6)
		fail("handshake");
	while (SSL_read(ssl, bytes, sizeof(bytes)) > 0)
		;
}

static void wait_for_child(void)
{
	int status;

	if (wait(&status) < 0 || status != 0)
		fail("the child failed");
}

static int fork_child(unsigned port)
{
	prepare(port);
	if (fork() == 0) {
		finish();
		exit(0);
	}
	wait_for_child();
	SSL_free(ssl);
	close(fd);
	return 0;
}

static int fork_parent(unsigned port)
{
	prepare(port);
	begin();
	if (fork() == 0) {
		SSL_free(ssl);
		close(fd);
		exit(0);
	}
	wait_for_child();
	fcntl(fd, F_SETFL, 0);
	finish();
	SSL_free(ssl);
	return 0;
}

/*
 * What subprocess modules do between vfork and exec, whatever POSIX says of it: that it does the
 * parent no harm is what is tried.
 */
/* NOLINTBEGIN(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */
static void vfork_and_close(void)
{
	pid_t child = vfork();

	if (child == 0) {
		close(fd);
		closefrom(3);
		dup2(1, fd);
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	wait_for_child();
}

static void vfork_in_vain(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/nonexistent", "nonexistent", (char *)NULL);
		_exit(0);
	}
	wait_for_child();
}

/* Its own pipe has the number of its parent's connection, as what tells of a failed exec may. */
static void vfork_and_write(int ends[2])
{
	char byte = 0;
	pid_t child = vfork();

	if (child == 0) {
		dup2(ends[1], fd);
		_exit(write(fd, "x", 1) == 1 ? 0 : 1);
	}
	wait_for_child();
	if (read(ends[0], &byte, 1) != 1 || byte != 'x')
		fail("the pipe of the child");
}
/* NOLINTEND(clang-analyzer-security.insecureAPI.vfork,clang-analyzer-unix.Vfork) */

static void vfork_then_session(unsigned port)
{
	int ends[2];
	char byte = 0;

	vfork_in_vain();
	if (pipe(ends) != 0)
		fail("pipe");
	prepare(port);
	vfork_and_write(ends);
	finish();
	SSL_free(ssl);
	close(fd);
	/* The connection's number means something else now. */
	if (dup2(ends[1], fd) != fd || write(fd, "y", 1) != 1 || read(ends[0], &byte, 1) != 1 ||
	    byte != 'y')
		fail("the pipe under the number of the connection");
}

static int vforked_first(unsigned port)
{
	if (fork() == 0) {
		vfork_then_session(port);
		exit(0);
	}
	wait_for_child();
	vfork_then_session(port);
	return 0;
}

static int vforked(unsigned port)
{
	prepare(port);
	vfork_and_close();
	begin();
	vfork_and_close();
	fcntl(fd, F_SETFL, 0);
	finish();
	vfork_and_close();
	SSL_free(ssl);
	return 0;
}

static int freed(unsigned port)
{
	(void)port;
	begin_in_vain();
	SSL_free(ssl);
	close(fd);
	return 0;
}

static int closed_and_freed(unsigned port)
{
	(void)port;
	begin_in_vain();
	close(fd);
	SSL_free(ssl);
	return 0;
}

static int ended(unsigned port)
{
	(void)port;
	begin_in_vain();
	return 0;
}

static int cleared(unsigned port)
{
	begin_in_vain();
	close(fd);
	SSL_clear(ssl);
	prepare(port);
	finish();
	SSL_free(ssl);
	return 0;
}

static int twice(unsigned port)
{
	prepare(port);
	finish();
	SSL_free(ssl);
	close(fd);
	ssl = SSL_new(context);
	prepare(port);
	finish();
	SSL_free(ssl);
	close(fd);
	return 0;
}

static int duplicated(unsigned port)
{
	prepare(port);
	int copy = dup(fd);
	close(fd);
	SSL_set_rfd(ssl, copy);
	SSL_set_wfd(ssl, fcntl(copy, F_DUPFD, 100));
	finish();
	SSL_free(ssl);
	return 0;
}

static const struct way {
	const char *name;
	int (*go)(unsigned port);
} ways[] = {
	{"fork", fork_child}, {"fork-parent", fork_parent},
	{"vfork", vforked},   {"vfork-first", vforked_first},
	{"free", freed},      {"close-free", closed_and_freed},
	{"exit", ended},      {"clear", cleared},
	{"twice", twice},     {"dup", duplicated},
};

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	context = SSL_CTX_new(TLS_client_method());
	ssl = SSL_new(context);
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (strcmp(argv[1], ways[i].name) == 0)
			return ways[i].go(port_argument(argv[2]));
	}
	return 2;
}
