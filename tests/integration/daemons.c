#include "tests/integration/daemons.h"

#include <arpa/inet.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

static bool is_taken(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool bound = false;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return !bound;
}

uint16_t free_port(void)
{
	static unsigned asked;
	uint16_t port = 0;

	do
		port = (uint16_t)(20000 + ((unsigned)getpid() * 16 + asked++) % 12000);
	while (is_taken(port));
	return port;
}

/* By what the kernel says: to try would be in the way of the server, and go on to its own. */
static bool is_listened_at(void *subject)
{
	const char *listening = text(":%04X 00000000:0000 0A", *(uint16_t *)subject);
	char line[256];
	bool found = false;
	FILE *sockets = fopen("/proc/net/tcp", "re");

	cr_assert_not_null(sockets);
	while (!found && fgets(line, sizeof(line), sockets))
		found = strstr(line, listening) != NULL;
	(void)fclose(sockets);
	return found;
}

struct program start_daemon(const char *const argv[], uint16_t port)
{
	return start_daemon_in(argv, NO_WORDS, port);
}

struct program start_daemon_in(const char *const argv[], const char *const env[], uint16_t port)
{
	struct program daemon = {.argv = argv, .env = env};

	start_program(&daemon);
	wait_until(is_listened_at, &port, argv[0]);
	return daemon;
}

const char *php_fpm_path(void)
{
	const char *path = NULL;
	glob_t found;

	if (glob("/usr/sbin/php-fpm[0-9]*", 0, NULL, &found) != 0)
		cr_skip("no php-fpm is here");
	path = text("%s", found.gl_pathv[0]);
	globfree(&found);
	return path;
}
