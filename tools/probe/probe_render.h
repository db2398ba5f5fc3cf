/*
 * What was found, for people and for programs.
 */
#ifndef TLSWITNESS_PROBE_RENDER_H
#define TLSWITNESS_PROBE_RENDER_H

#include <stdio.h>

#include "tools/probe/probe.h"

/* A block for each target, and one table of all where there are several. */
void probe_render_text(FILE *out, const struct probe *probe);

/* A line of JSON for each target; its shape is described in probe_json.c. */
void probe_render_json(FILE *out, const struct probe *probe);

#endif
