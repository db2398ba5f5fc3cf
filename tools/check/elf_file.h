/*
 * What an ELF file says of itself, by libelf, as far as it decides who can see
 * the program's TLS. Knows nothing of TLS libraries or witnesses.
 */
#ifndef TLSWITNESS_ELF_FILE_H
#define TLSWITNESS_ELF_FILE_H

#include <libelf.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct elf_file {
	int fd;
	Elf *elf;
	int machine;           /* EM_* */
	int word_class;        /* ELFCLASS32 or ELFCLASS64 */
	char loader[PATH_MAX]; /* PT_INTERP; "" for a static program and for most libraries */
	bool is_go;
	bool has_dynamic; /* it takes part in dynamic linking */
	/* Of the dynamic section; owned by the ELF, NULL where there is none. */
	const char *run_path;     /* DT_RUNPATH */
	const char *old_run_path; /* DT_RPATH */
	const char *needed[256];
	size_t needed_count;
};

/*
 * Takes the descriptor over, whatever comes of it. False if this is no ELF file
 * that can be read; there is nothing to close then.
 */
bool elf_file_open(struct elf_file *file, int fd);
void elf_file_close(struct elf_file *file);

/* "x86-64", "AArch64"; "another" for what has no name here. */
const char *elf_file_machine_name(int machine);

/* Does it define this dynamic symbol for others, or (imports) ask for it? */
bool elf_file_exports(const struct elf_file *file, const char *symbol);
bool elf_file_imports(const struct elf_file *file, const char *symbol);

/* Are these bytes anywhere in the file? */
bool elf_file_holds(const struct elf_file *file, const char *text);

/* The same for a whole string, with a NUL before and behind it. */
bool elf_file_holds_word(const struct elf_file *file, const char *word);

/* The section's bytes, which need not end in a NUL; NULL where there is none. */
const char *elf_file_section(const struct elf_file *file, const char *name, size_t *length);

/* The build-id as hexadecimal digits; false where it has none. */
bool elf_file_build_id(const struct elf_file *file, char digits[129]);

/* Does it ask libc for this version ("GLIBC_2.35")? `visit` gets each one in turn. */
void elf_file_needed_versions(const struct elf_file *file,
			      void (*visit)(void *context, const char *version), void *context);

/* Does it define this symbol version? */
bool elf_file_defines_version(const struct elf_file *file, const char *version);

#endif
