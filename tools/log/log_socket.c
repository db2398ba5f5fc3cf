/*
 * Knows sockets; must not know records.
 */
#include "tools/log/log_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/base/options.h"

static bool make_address(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (path[0] != '/' || strlen(path) >= sizeof(address->sun_path)) {
		complain("unix:%s: give an absolute path of at most %zu bytes", path,
			 sizeof(address->sun_path) - 1);
		return false;
	}
	memcpy(address->sun_path, path, strlen(path) + 1);
	return true;
}

/* True if somebody has the socket open. */
static bool is_in_use(const struct sockaddr_un *address)
{
	int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool in_use = true;

	if (descriptor < 0)
		return true;
	if (connect(descriptor, (const struct sockaddr *)address, sizeof(*address)) != 0)
		in_use = errno != ECONNREFUSED && errno != ENOENT;
	close(descriptor);
	return in_use;
}

/* Removes a socket that was left behind; false, with a complaint, if something else is there. */
static bool make_way(const struct sockaddr_un *address)
{
	const char *path = address->sun_path;
	struct stat status;

	if (lstat(path, &status) != 0) {
		if (errno == ENOENT)
			return true;
		complain("unix:%s: %s", path, strerror(errno));
		return false;
	}
	if (!S_ISSOCK(status.st_mode)) {
		complain("unix:%s: what is there is no socket; it is left alone", path);
		return false;
	}
	if (geteuid() != 0 && status.st_uid != geteuid()) {
		complain("unix:%s: the socket there is another user's; it is left alone", path);
		return false;
	}
	if (is_in_use(address)) {
		complain("unix:%s: another program listens there", path);
		return false;
	}
	if (unlink(path) == 0)
		return true;
	complain("unix:%s: %s", path, strerror(errno));
	return false;
}

/* Nobody else may write to it, not even between its making and a chmod. */
static int bind_for_us_alone(int descriptor, const struct sockaddr_un *address)
{
	mode_t mask = umask(0177);
	int result = bind(descriptor, (const struct sockaddr *)address, sizeof(*address));
	int error = errno;

	umask(mask);
	errno = error;
	return result;
}

bool log_socket_open(struct log_socket *log, const char *path)
{
	struct sockaddr_un address;
	struct stat status;

	*log = (struct log_socket){.descriptor = -1, .path = path};
	if (!make_address(&address, path) || !make_way(&address))
		return false;
	log->descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (log->descriptor < 0 || bind_for_us_alone(log->descriptor, &address) != 0 ||
	    lstat(path, &status) != 0) {
		complain("unix:%s: %s", path, strerror(errno));
		if (log->descriptor >= 0)
			close(log->descriptor);
		log->descriptor = -1;
		return false;
	}
	log->device = status.st_dev;
	log->inode = status.st_ino;
	return true;
}

ssize_t log_socket_read(const struct log_socket *log, char *to, size_t size)
{
	ssize_t got = 0;

	do
		got = recv(log->descriptor, to, size, 0);
	while (got < 0 && errno == EINTR);
	return got;
}

void log_socket_close(struct log_socket *log)
{
	struct stat status;

	if (log->descriptor < 0)
		return;
	if (lstat(log->path, &status) == 0 && status.st_dev == log->device &&
	    status.st_ino == log->inode)
		(void)unlink(log->path);
	close(log->descriptor);
	log->descriptor = -1;
}
