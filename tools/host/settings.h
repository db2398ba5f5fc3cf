/*
 * Our part of /etc/tlswitness/tlswitness.conf: which targets are enabled, whom
 * the loader's preload is for, and the settings that `enable` was given.
 */
#ifndef TLSWITNESS_HOST_SETTINGS_H
#define TLSWITNESS_HOST_SETTINGS_H

#include <stdbool.h>

#include "tools/host/edit.h"

/* The lines of our part; "" if there is none. To be freed; NULL with a complaint. */
char *settings_read(const struct host *host);

bool settings_has_target(const char *lines, const char *target);

/* Calls `visit` with each target that is enabled. */
void settings_each_target(const char *lines, void (*visit)(void *context, const char *target),
			  void *context);

/* Does an `only` line stand there? Then the loader's preload is needed. */
bool settings_has_only(const char *lines);

/* New lines, to be freed: with the target, or without it; `only` NULL: it needs no such line. */
char *settings_with_target(const char *lines, const char *target, const char *only);
char *settings_without_target(const char *lines, const char *target, const char *only);

/* New lines with `name = value` instead of what was there of that name. */
char *settings_with_value(const char *lines, const char *name, const char *value);

/* Puts the lines into the file; with none left the file is as it was before. */
bool settings_write(const struct host *host, const char *lines);

#endif
