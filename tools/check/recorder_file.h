/*
 * The recorder as a file: where it is, which one it is, what it hooks.
 */
#ifndef TLSWITNESS_RECORDER_FILE_H
#define TLSWITNESS_RECORDER_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "tools/check/elf_file.h"

#define RECORDER_NAME        "libtlswitness.so"
#define RECORDER_VERSION_MAX 192

/*
 * The recorder that belongs to this command: beside it in the build tree, else
 * in ../lib/tlswitness/ or ../lib/ARCHITECTURE/tlswitness/. False if there is none.
 */
bool recorder_file_find(char path[PATH_MAX]);

/*
 * How LD_PRELOAD has to name it. Where a recorder of the other word size lies in
 * its place as well, that is the path with $LIB, which each program's loader
 * replaces by its own (ld.so(8)), and true is returned; else it is the path.
 */
bool recorder_file_preload(const char *path, char preload[PATH_MAX]);

/* Is it linked with musl, and so for programs that are? */
bool recorder_file_is_musl(const char *path);

/* "0.1.0, build-id 3fa2...", as far as the file says it; "" if it says nothing. */
void recorder_file_version(const struct elf_file *recorder, char version[RECORDER_VERSION_MAX]);

/* "0.1.0" from the bytes of a recorder, as a process has them mapped. */
bool recorder_version_in(const char *bytes, size_t length, char version[RECORDER_VERSION_MAX]);

#endif
