/*
 * Writes lines where the settings say.
 */
#include "shim/core/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim/base/sys.h"
#include "shim/base/text.h"
#include "shim/core/descriptor_table.h"
#include "shim/core/sandbox.h"
#include "shim/record/record.h"

/* Daemons close, and shells use, the low numbers. */
#define KEPT_DESCRIPTOR_LEAST 700

/* A neighbour's lines may land between our look at the size and our write. */
#define SIZE_LIMIT_MARGIN 65536U

/* Neighbours whose lines may be seen unfinished, one after the other. */
#define TORN_LOOKS_MAX 64

/* The descriptor kept for a new root; -1: none. */
static atomic_int kept_descriptor = -1;
static dev_t kept_device;
static ino_t kept_inode;

static void path_in_directory(struct log_path *path, const char *directory, uid_t user)
{
	path->text[0] = '\0';
	text_append(path->text, sizeof(path->text), directory);
	if (directory[strlen(directory) - 1] != '/')
		text_append(path->text, sizeof(path->text), "/");
	text_append_number(path->text, sizeof(path->text), user);
	text_append(path->text, sizeof(path->text), ".jsonl");
}

/*
 * May this file be written to? A regular file with one name, that is ours; or
 * root's, where an operator named the file and made it writable for us.
 */
static bool is_trustworthy(const struct stat *status, uid_t user, bool in_directory)
{
	if (!S_ISREG(status->st_mode) || status->st_nlink != 1)
		return false;
	if (status->st_uid == user)
		return true;
	return !in_directory && status->st_uid == 0;
}

/* Sets errno and returns -1 where the file can't or must not be written. */
static int open_trustworthy(const char *path, uid_t user, bool in_directory, struct stat *status)
{
	const int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = sys_open(path, flags, 0);

	/* To ask for a new file takes the lock of its directory, also where there is one. */
	if (fd < 0 && errno == ENOENT)
		fd = sys_open(path, flags | O_CREAT, 0600);
	if (fd >= 0 && fd <= STDERR_FILENO) {
		/* The host has closed its standard streams: stay clear of their numbers. */
		int higher = sys_duplicate_above(fd, STDERR_FILENO + 1);

		sys_close(fd);
		fd = higher;
	}
	if (fd < 0)
		return -1;
	if (sys_fstat(fd, status) != 0 || !is_trustworthy(status, user, in_directory)) {
		sys_close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

static int open_log(const struct config *config, uid_t user, struct log_path *path,
		    struct stat *status)
{
	int fd;

	if (config->log_kind == LOG_FILE) {
		fd = open_trustworthy(config->log, user, false, status);
		/* A directory need not be named with a slash at its end. */
		if (fd >= 0 || errno != EISDIR)
			return fd;
	}
	path_in_directory(path, config->log, user);
	return open_trustworthy(path->text, user, true, status);
}

/* The descriptor kept, if the host has not closed or reused it where we could not see it; else -1.
 */
static int kept_log(struct stat *status)
{
	int fd = atomic_load(&kept_descriptor);

	if (fd < 0 || sys_fstat(fd, status) != 0)
		return -1;
	if (status->st_dev != kept_device || status->st_ino != kept_inode)
		return -1;
	return fd;
}

/* The socket of a log that takes datagrams, ready for writes. */
static int open_datagram(const struct config *config)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	memcpy(address.sun_path, config->log, strnlen(config->log, sizeof(address.sun_path) - 1));
	if (sys_connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	sys_close(fd);
	return -1;
}

/* Keeps the descriptor under a high number, whose closing by the host is noticed. */
static void keep(int fd)
{
	struct stat status;
	int high = sys_duplicate_above(fd, KEPT_DESCRIPTOR_LEAST);

	if (high < 0)
		return;
	if (sys_fstat(high, &status) != 0 || !descriptor_make_room(high)) {
		sys_close(high);
		return;
	}
	kept_device = status.st_dev;
	kept_inode = status.st_ino;
	(void)descriptor_exchange(high, DESCRIPTOR_OURS);
	atomic_store(&kept_descriptor, high);
}

void output_keep(const struct config *config)
{
	const int saved = errno;
	struct stat status;
	struct log_path path;
	int fd = -1;

	if (kept_log(&status) < 0) {
		fd = config->log_kind <= LOG_DIRECTORY
			     ? open_log(config, sys_geteuid(), &path, &status)
			     : open_datagram(config);
	}
	if (fd >= 0) {
		keep(fd);
		sys_close(fd);
	}
	errno = saved;
}

void output_forget(void)
{
	atomic_store(&kept_descriptor, -1);
}

/* A write beyond RLIMIT_FSIZE would send SIGXFSZ, which ends the host. */
static bool fits_size_limit(const struct stat *status, size_t length)
{
	const uint64_t limit = sys_file_size_limit();

	return limit == UINT64_MAX ||
	       (uint64_t)status->st_size + length + SIZE_LIMIT_MARGIN <= limit;
}

static bool ends_within_line(int fd, const struct stat *status)
{
	char last;

	return status->st_size > 0 && sys_pread(fd, &last, 1, status->st_size - 1) == 1 &&
	       last != '\n';
}

/*
 * Did a full disk or a kill leave the file's last line without its end? A
 * neighbour's line that is being written looks the same: the file grows page by
 * page. But a search for holes waits until the write under way has ended (it
 * takes the file's lock on ext4, btrfs and tmpfs; on XFS a read does), and then
 * a line that is torn for good has not grown.
 */
static bool ends_in_torn_line(int fd, const struct stat *status)
{
	struct stat seen = *status;
	struct stat now;

	for (int i = 0; i < TORN_LOOKS_MAX; i++) {
		if (!ends_within_line(fd, &seen))
			return false;
		sys_lseek(fd, seen.st_size - 1, SEEK_HOLE);
		if (sys_fstat(fd, &now) != 0 || now.st_size == seen.st_size)
			return true;
		seen = now;
	}
	return true; /* an empty line more is better than one that swallows ours */
}

/* Where the file ended after our own last line: if it still does, that is no torn one. */
static _Atomic ino_t last_inode;
static _Atomic off_t last_end;

static bool append_line(int fd, const struct stat *status, char *line, size_t length)
{
	if (!fits_size_limit(status, length + 1))
		return false;
	if ((status->st_ino != atomic_load(&last_inode) ||
	     status->st_size != atomic_load(&last_end)) &&
	    ends_in_torn_line(fd, status)) {
		*--line = '\n';
		length++;
	}
	if (sys_write(fd, line, length) != (ssize_t)length)
		return false;
	atomic_store(&last_inode, status->st_ino);
	atomic_store(&last_end, status->st_size + (off_t)length);
	return true;
}

static bool write_file(const struct config *config, char *line, size_t length, uid_t user,
		       struct log_path *path)
{
	struct stat status;
	bool written;
	int fd = open_log(config, user, path, &status);

	if (fd < 0) {
		fd = kept_log(&status);
		return fd >= 0 && append_line(fd, &status, line, length);
	}
	written = append_line(fd, &status, line, length);
	sys_close(fd);
	return written;
}

/* Before a line of the journal's, which ends the field. */
static const char journal_prefix[] = "PRIORITY=6\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=tlswitness\n"
				     "MESSAGE=";

/* Makes of the line what the log takes as one message; returns where that begins. */
static char *make_datagram(const struct config *config, char *line, size_t *length)
{
	char header[ENVELOPE_HEADER_MAX];
	size_t prefix = 0;

	switch (config->log_kind) {
	case LOG_SYSLOG:
		prefix = envelope_syslog(header, line, *length);
		memcpy(line - prefix, header, prefix);
		(*length)--;
		break;
	case LOG_JOURNALD:
		prefix = sizeof(journal_prefix) - 1;
		memcpy(line - prefix, journal_prefix, prefix);
		*length += envelope_journal(line + *length, OUTPUT_SUFFIX_MAX, line, *length);
		break;
	case LOG_DATAGRAM:
		(*length)--;
		break;
	default:
		break;
	}
	*length += prefix;
	return line - prefix;
}

static bool write_datagram(const struct config *config, char *line, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *datagram = make_datagram(config, line, &length);
	ssize_t sent;
	int fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return false;
	memcpy(address.sun_path, config->log, strnlen(config->log, sizeof(address.sun_path) - 1));
	sent = sys_sendto(fd, datagram, length, MSG_DONTWAIT | MSG_NOSIGNAL,
			  (const struct sockaddr *)&address, sizeof(address));
	sys_close(fd);
	return sent == (ssize_t)length;
}

/* Within a sandbox: by the one call that none forbids. */
static bool write_kept(const struct config *config, char *line, size_t length)
{
	const int fd = atomic_load(&kept_descriptor);
	const char *whole = make_datagram(config, line, &length);

	return fd >= 0 && sys_write(fd, whole, length) == (ssize_t)length;
}

bool output_write(const struct config *config, char *line, size_t length, uid_t user,
		  struct log_path *path)
{
	if (sandbox_is_closed())
		return write_kept(config, line, length);
	if (config->log_kind <= LOG_DIRECTORY)
		return write_file(config, line, length, user, path);
	return write_datagram(config, line, length);
}
