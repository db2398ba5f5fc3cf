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

#include "shim/record/record.h"
#include "shim/base/sys.h"
#include "shim/base/text.h"

/* Daemons close, and shells use, the low numbers. */
#define KEPT_DESCRIPTOR_LEAST 700

/* A neighbour's lines may land between our look at the size and our write. */
#define SIZE_LIMIT_MARGIN 65536U

/* Neighbours whose lines may be seen unfinished, one after the other. */
#define TORN_LOOKS_MAX 64

/* Neighbours whose lines may be seen unfinished, one after the other. */
#define TORN_LOOKS_MAX 64

/* "/dir/1000.jsonl", or the file as it was named. */
struct log_path {
	char text[CONFIG_PATH_MAX + 32];
};

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
static bool is_trustworthy(const struct stat *status, bool in_directory)
{
	if (!S_ISREG(status->st_mode) || status->st_nlink != 1)
		return false;
	if (status->st_uid == sys_geteuid())
		return true;
	return !in_directory && status->st_uid == 0;
}

/* Sets errno and returns -1 where the file can't or must not be written. */
static int open_trustworthy(const char *path, bool in_directory, struct stat *status)
{
	const int flags =
		O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = sys_open(path, flags, 0600);

	if (fd >= 0 && fd <= STDERR_FILENO) {
		/* The host has closed its standard streams: stay clear of their numbers. */
		int higher = sys_duplicate_above(fd, STDERR_FILENO + 1);

		sys_close(fd);
		fd = higher;
	}
	if (fd < 0)
		return -1;
	if (sys_fstat(fd, status) != 0 || !is_trustworthy(status, in_directory)) {
		sys_close(fd);
		errno = EPERM;
		return -1;
	}
	return fd;
}

static int open_log(const struct config *config, struct stat *status)
{
	struct log_path path;
	int fd;

	if (config->log_kind == LOG_FILE) {
		fd = open_trustworthy(config->log, false, status);
		/* A directory need not be named with a slash at its end. */
		if (fd >= 0 || errno != EISDIR)
			return fd;
	}
	path_in_directory(&path, config->log, sys_geteuid());
	return open_trustworthy(path.text, true, status);
}

/* The descriptor kept for a new root, if the host has not closed or reused it; else -1. */
static int kept_log(struct stat *status)
{
	int fd = atomic_load(&kept_descriptor);

	if (fd < 0 || sys_fstat(fd, status) != 0)
		return -1;
	if (status->st_dev != kept_device || status->st_ino != kept_inode)
		return -1;
	return fd;
}

void output_before_chroot(const struct config *config)
{
	struct stat status;
	int fd;
	int high;

	if (config->log_kind > LOG_DIRECTORY || kept_log(&status) >= 0)
		return;
	fd = open_log(config, &status);
	if (fd < 0)
		return;
	high = sys_duplicate_above(fd, KEPT_DESCRIPTOR_LEAST);
	sys_close(fd);
	if (high < 0)
		return;
	kept_device = status.st_dev;
	kept_inode = status.st_ino;
	atomic_store(&kept_descriptor, high);
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

static bool append_line(int fd, const struct stat *status, const char *line, size_t length)
{
	char mended[RECORD_LINE_MAX + 1];

	if (!fits_size_limit(status, length + 1))
		return false;
	if (ends_in_torn_line(fd, status)) {
		mended[0] = '\n';
		memcpy(mended + 1, line, length);
		return sys_write(fd, mended, length + 1) == (ssize_t)length + 1;
	}
	return sys_write(fd, line, length) == (ssize_t)length;
}

static bool write_file(const struct config *config, const char *line, size_t length)
{
	struct stat status;
	bool written;
	int fd = open_log(config, &status);

	if (fd < 0) {
		fd = kept_log(&status);
		return fd >= 0 && append_line(fd, &status, line, length);
	}
	written = append_line(fd, &status, line, length);
	sys_close(fd);
	return written;
}

/*
 * The line without its newline, as one datagram. syslog wants facility mail,
 * severity info (RFC 5424, 6.2.1); journald its native protocol's fields.
 */
static bool write_datagram(const struct config *config, const char *line, size_t length)
{
	static const char syslog_prefix[] = "<22>tlswitness: ";
	static const char journald_prefix[] = "PRIORITY=6\nSYSLOG_FACILITY=2\n"
					      "SYSLOG_IDENTIFIER=tlswitness\nMESSAGE=";
	char datagram[sizeof(journald_prefix) + RECORD_LINE_MAX];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *prefix = "";
	size_t prefix_length;
	ssize_t sent;
	int fd;

	if (config->log_kind == LOG_SYSLOG)
		prefix = syslog_prefix;
	else if (config->log_kind == LOG_JOURNALD)
		prefix = journald_prefix;
	else
		length--; /* a datagram needs no newline; the two others take or want it */
	if (config->log_kind == LOG_SYSLOG)
		length--;
	prefix_length = strlen(prefix);
	memcpy(datagram, prefix, prefix_length);
	memcpy(datagram + prefix_length, line, length);
	memcpy(address.sun_path, config->log, strnlen(config->log, sizeof(address.sun_path) - 1));
	fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	sent = sys_sendto(fd, datagram, prefix_length + length, MSG_DONTWAIT | MSG_NOSIGNAL,
			  (const struct sockaddr *)&address, sizeof(address));
	sys_close(fd);
	return sent == (ssize_t)(prefix_length + length);
}

bool output_write(const struct config *config, const char *line, size_t length)
{
	if (config->log_kind <= LOG_DIRECTORY)
		return write_file(config, line, length);
	return write_datagram(config, line, length);
}
