/*
 * Which of GnuTLS's priority strings are worth a protocol-setting record, and
 * how they are said in words. hook_gnutls_settings.c's hooks call this after a
 * setting was taken.
 */
#ifndef TLSWITNESS_GNUTLS_SETTINGS_H
#define TLSWITNESS_GNUTLS_SETTINGS_H

#include "shim/gnutls/gnutls_priorities.h"

/*
 * `call` is the hook's name, `owner` the cache or session that it has set. Said
 * is what allows a version below the floor, or not the best that GnuTLS can do.
 */
void gnutls_setting_priorities(const char *call, const struct gnutls_priorities *priorities,
			       const void *owner);

#endif
