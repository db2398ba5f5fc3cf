/*
 * Which TLS libraries a program works with: those that it links, those that it
 * names and loads itself, and those of the modules that an interpreter is known
 * to load. Libraries are found where ld.so(8) would look.
 */
#ifndef TLSWITNESS_TLS_LIBRARIES_H
#define TLSWITNESS_TLS_LIBRARIES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/check/elf_file.h"
#include "tools/check/root.h"

/* What is known of a TLS library; one row of the table in tls_libraries.c. */
struct tls_library {
	const char *name;   /* "OpenSSL" */
	const char *soname; /* what the file's name begins with: "libssl.so" */
	const char *symbol; /* a program that defines it has the library built in; NULL: not told */
	unsigned witness;   /* the library witness that knows it, as record_value_text counts;
			       0: there is none */
	const char *hook;   /* a recorder that names this function has that witness */
};

enum tls_library_way { TLS_LIBRARY_LINKED, TLS_LIBRARY_LOADED, TLS_LIBRARY_BUILT_IN };

struct tls_library_use {
	const struct tls_library *library;
	enum tls_library_way way;
	char file[128];    /* "libssl.so.3"; the program's own name if built in */
	char through[256]; /* the library or module that brings it; "": the program itself */
	/*
	 * Of several, the one that the program or module is nearest to does its mail: curl links
	 * OpenSSL through libcurl, and GnuTLS only behind that, for LDAP.
	 */
	bool is_nearest;
};

#define TLS_LIBRARY_USES_MAX 16

struct tls_libraries {
	struct tls_library_use use[TLS_LIBRARY_USES_MAX];
	size_t count;
	bool links_io_uring;
	char missing[128]; /* the first linked library that is nowhere; "": none */
};

/* `program` is open and lies at `path` in `root`. */
void tls_libraries_find(struct tls_libraries *libraries, const struct root *root, const char *path,
			const struct elf_file *program);

#endif
