/*
 * Changes to files that belong to somebody else: a part of our own within them,
 * put in and taken out by a new file that takes the old one's place at once.
 */
#ifndef TLSWITNESS_EDIT_H
#define TLSWITNESS_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/check/root.h"

/* Where changes go, and whether they are only said. */
struct host {
	struct root root;
	bool dry_run;
	bool quiet;              /* says nothing of what is as it should be already */
	char recorder[PATH_MAX]; /* its path within the root */
};

/* The file's whole text, to be freed; "" where there is none, then `exists` is false. NULL with a
 * complaint if it can't be read. */
char *edit_read(const struct host *host, const char *path, bool *exists);

/*
 * The file's text is to be `text` (NULL: the file is to be gone). What is there
 * already is left alone; else a temporary file beside it takes its place, with its
 * mode and owner (0644 and root's for a new one; directories that lack are made).
 * Links are followed. Says on standard output what it does. False with a complaint.
 */
bool edit_write(const struct host *host, const char *path, const char *text);

/*
 * `text` with a part of ours at its end, marked, which holds `lines`; one that
 * was there is replaced where it stands. `lines` NULL or "" takes it out: then
 * every other byte is what it was. `comment` begins a comment there ("#").
 * The result is to be freed.
 */
char *edit_with_part(const char *text, const char *comment, const char *lines);

/* What our part of the text holds, to be freed; NULL if there is none. */
char *edit_part(const char *text, const char *comment);

/* The text with a first line more, or without it. The result is to be freed. */
char *edit_with_line(const char *text, const char *line);
char *edit_without_line(const char *text, const char *line);

/* Removes a directory of ours if it is empty. */
void edit_remove_directory(const struct host *host, const char *path);

#endif
