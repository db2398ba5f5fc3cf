/*
 * Which of OpenSSL's settings are worth a protocol-setting record, and how they
 * are said in words. hook_openssl_settings.c's hooks call this after a setting
 * was taken.
 */
#ifndef TLSWITNESS_OPENSSL_SETTINGS_H
#define TLSWITNESS_OPENSSL_SETTINGS_H

#include <stdint.h>

#include "shim/openssl/openssl_library.h"

/* SSL_CTX_ctrl and SSL_ctrl; `call` is the hook's name, `owner` what it was made to. */
void openssl_setting_ctrl(const char *call, const void *owner, int command, long value);

/*
 * The command that reads the bound which `command` sets; 0 if it sets none, or
 * takes it away. A bound that is there already is no news: Ruby sets both
 * whenever one is changed.
 */
int openssl_setting_bound(int command, long value);

/* Options that were added, and options that were there and were taken away. */
void openssl_setting_options_set(const char *call, const void *owner, uint64_t options);
void openssl_setting_options_cleared(const char *call, const void *owner, uint64_t options);

/* A method made for one version; the new context with it, or NULL; what got it. */
void openssl_setting_method(const char *call, const struct ssl_library *library,
			    const SSL_METHOD *method, const SSL_CTX *context, const void *owner);

/*
 * Python makes a context without its lock, and sets its options right after,
 * with the lock: only then can the method's place be asked for. To be called at
 * the settings of a context, and with NULL where a handshake is prepared.
 */
void openssl_setting_place(const SSL_CTX *context);

void openssl_setting_security_level(const char *call, const void *owner, int level);

/* A cipher string, which can set the security level. */
void openssl_setting_ciphers(const char *call, const void *owner, const char *ciphers);

/* SSL_CONF_cmd: a command and its value as text. */
void openssl_setting_command(const char *command, const char *value);

#endif
