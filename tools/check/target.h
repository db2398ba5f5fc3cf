/*
 * What a program is made of, as far as it decides who can see its TLS: whether
 * the recorder can be preloaded into it, and which witness it will meet there.
 */
#ifndef TLSWITNESS_TARGET_H
#define TLSWITNESS_TARGET_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/check/elf_file.h"
#include "tools/check/root.h"
#include "tools/check/tls_libraries.h"

#define TARGET_REASONS_MAX   12
#define TARGET_WITNESSES_MAX 4

struct target_reason {
	char text[384];     /* for a sentence that begins with the path ("is statically linked") */
	const char *remedy; /* one line; static */
	bool blinds;        /* nothing of this program is seen; else a part, or another user's */
};

enum target_libc { TARGET_LIBC_NONE, TARGET_LIBC_GLIBC, TARGET_LIBC_MUSL, TARGET_LIBC_OTHER };

struct target {
	char path[PATH_MAX];   /* the file that will be executed; "" if none was found */
	char script[PATH_MAX]; /* the script whose interpreter that is; "" if it was none */
	bool is_elf;
	int machine;    /* EM_* */
	int word_class; /* ELFCLASS* */
	char loader[PATH_MAX];
	bool is_go;
	bool needs_io_uring; /* liburing is among its own libraries; others may need it, too */
	enum target_libc libc;
	struct target_reason reason[TARGET_REASONS_MAX];
	size_t reason_count;
	bool harmed_by_preload; /* its loader would choke on our library */
	/* By target_find_witnesses: */
	struct tls_libraries libraries;
	const char *witness[TARGET_WITNESSES_MAX]; /* as the record names them; static */
	size_t witness_count;
};

/*
 * Finds `command` as execvp does, follows `#!` lines (and env(1) there) to the
 * binary, and looks at its ELF headers, mode, capabilities and confinement.
 */
void target_examine(struct target *target, const struct root *root, const char *command);

/*
 * Then looks for the TLS libraries that it works with, and names the witnesses
 * that this command's recorder has for them.
 */
void target_find_witnesses(struct target *target, const struct root *root);

/* A process of this program has an io_uring at this moment. Returns the remedy. */
const char *target_has_io_uring(struct target *target);

/* The first reason why nothing will be seen; NULL: it can be seen. */
const struct target_reason *target_blindness(const struct target *target);

#endif
