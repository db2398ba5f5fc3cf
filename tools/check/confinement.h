/*
 * What the host's policies do to a preload before the program's first instruction.
 */
#ifndef TLSWITNESS_CONFINEMENT_H
#define TLSWITNESS_CONFINEMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/check/root.h"

/*
 * Does a rule of AppArmor start `program` with a scrubbed environment (Px, Cx, Ux:
 * apparmor.d(5))? `place` gets "/etc/apparmor.d/FILE:LINE". False where AppArmor
 * is not enabled.
 */
bool confinement_apparmor_scrubs(const struct root *root, const char *program, char *place,
				 size_t room);

/* Does fapolicyd run here with a rule against LD_PRELOAD (pattern=ld_preload)? */
bool confinement_fapolicyd_denies(const struct root *root, char *place, size_t room);

#endif
