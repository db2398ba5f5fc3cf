/*
 * Where ld.so(8) finds a library that an ELF file asks for.
 */
#ifndef TLSWITNESS_LIBRARY_PATH_H
#define TLSWITNESS_LIBRARY_PATH_H

#include "tools/check/elf_file.h"
#include "tools/check/root.h"

/* The directories of a root, read once. */
struct library_path {
	const struct root *root;
	char **directory;
	size_t count;
};

void library_path_read(struct library_path *search, const struct root *root);
void library_path_free(struct library_path *search);

/*
 * Opens the library `name` for `user`, a file that lies at `user_path`; `found` gets its path.
 * False if it is nowhere, in the user's word size and architecture.
 */
bool library_path_open(const struct library_path *search, const struct elf_file *user,
		       const char *user_path, const char *name, struct elf_file *library,
		       char found[PATH_MAX]);

#endif
