/*
 * Knows a record's line by two of its keys alone.
 */
#include "tools/check/last_record.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Does this line belong to the process? Then its time is in `timestamp`. */
static bool take_line(const char *line, size_t length, pid_t pid, char timestamp[32])
{
	json_t *record = json_loadb(line, length, 0, NULL);
	const char *when = json_string_value(json_object_get(record, "@timestamp"));
	bool ok = when && strlen(when) < 32 &&
		  json_integer_value(json_object_get(record, "process.pid")) == pid;

	if (ok)
		memcpy(timestamp, when, strlen(when) + 1);
	json_decref(record);
	return ok;
}

/* From the last line to the first; most lines are other processes' and cost a search. */
static void search(const char *bytes, size_t size, pid_t pid, char timestamp[32])
{
	char key[48];
	size_t end = size;

	(void)snprintf(key, sizeof(key), "\"process.pid\":%d", (int)pid);
	while (end > 0) {
		const char *newline = memrchr(bytes, '\n', end - 1);
		const char *line = newline ? newline + 1 : bytes;
		size_t length = (size_t)(bytes + end - line);

		if (memmem(line, length, key, strlen(key)) &&
		    take_line(line, length, pid, timestamp))
			return;
		end = (size_t)(line - bytes);
	}
}

void last_record_find(const char *log, pid_t pid, unsigned long long started, char timestamp[32])
{
	int fd = open(log, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	time_t start = (time_t)started - 1; /* the kernel rounds the boot */
	struct stat status;
	struct tm time;
	char oldest[32];
	void *bytes;

	timestamp[0] = '\0';
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
		bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (bytes != MAP_FAILED) {
			search(bytes, (size_t)status.st_size, pid, timestamp);
			munmap(bytes, (size_t)status.st_size);
		}
	}
	close(fd);
	/* Both are ISO 8601 in UTC, so that their texts compare as they do. */
	if (gmtime_r(&start, &time) && strftime(oldest, sizeof(oldest), "%FT%T", &time) > 0 &&
	    strncmp(timestamp, oldest, strlen(oldest)) < 0)
		timestamp[0] = '\0';
}
