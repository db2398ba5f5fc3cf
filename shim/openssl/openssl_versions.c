#include "shim/openssl/openssl_versions.h"

#include <string.h>

struct version_option {
	uint16_t version;
	uint64_t off;
};

static const struct version_option version_options[] = {
	{TLS_VERSION_SSL_3_0, SSL_OP_NO_SSLv3}, {TLS_VERSION_1_0, SSL_OP_NO_TLSv1},
	{TLS_VERSION_1_1, SSL_OP_NO_TLSv1_1},   {TLS_VERSION_1_2, SSL_OP_NO_TLSv1_2},
	{TLS_VERSION_1_3, SSL_OP_NO_TLSv1_3},
};

/* SSLv3 is compiled out of nearly every OpenSSL; a client that can't is not one that may. */
static bool security_level_allows(const struct ssl_library *library, const SSL *ssl,
				  uint16_t version)
{
	int level = library->SSL_get_security_level ? library->SSL_get_security_level(ssl) : 1;
	bool is_3 = strncmp(library->crypto.name, "OpenSSL 3", 9) == 0;

	if (version == TLS_VERSION_SSL_3_0)
		return false;
	/* SSL_CTX_set_security_level(3): from 3.0 on level 1 ends with TLS 1.2; in 1.1.1
	   level 3 excludes TLS 1.0 and level 4 TLS 1.1. */
	if (is_3 && version <= TLS_VERSION_1_1)
		return level <= 0;
	if (version == TLS_VERSION_1_0)
		return level < 3;
	if (version == TLS_VERSION_1_1)
		return level < 4;
	return true;
}

/*
 * A method made for one version knows no minimum and maximum: SSL_version()
 * tells its version before the handshake, and what was negotiated after it.
 */
static bool is_pinned(const struct ssl_library *library, const SSL *ssl)
{
	const SSL_METHOD *method;

	if (!library->SSL_get_SSL_CTX || !library->SSL_CTX_get_ssl_method || !library->TLS_method ||
	    !library->TLS_client_method)
		return false;
	method = library->SSL_CTX_get_ssl_method(library->SSL_get_SSL_CTX(ssl));
	return method != library->TLS_method() && method != library->TLS_client_method();
}

static bool is_open(const struct openssl_versions *versions, const struct version_option *option,
		    uint64_t options)
{
	if (versions->configured_min && option->version < versions->configured_min)
		return false;
	if (versions->configured_max && option->version > versions->configured_max)
		return false;
	return !(options & option->off);
}

void openssl_versions_read(struct openssl_versions *versions, const struct ssl_library *library,
			   SSL *ssl)
{
	uint64_t options = library->SSL_get_options ? library->SSL_get_options(ssl) : 0;

	if (is_pinned(library, ssl)) {
		versions->configured_min = (uint16_t)library->SSL_version(ssl);
		versions->configured_max = versions->configured_min;
	} else {
		versions->configured_min =
			(uint16_t)library->SSL_ctrl(ssl, SSL_CTRL_GET_MIN_PROTO_VERSION, 0, NULL);
		versions->configured_max =
			(uint16_t)library->SSL_ctrl(ssl, SSL_CTRL_GET_MAX_PROTO_VERSION, 0, NULL);
	}
	versions->lowest = 0;
	versions->highest = 0;
	for (size_t i = 0; i < sizeof(version_options) / sizeof(version_options[0]); i++) {
		const struct version_option *option = &version_options[i];

		if (!is_open(versions, option, options) ||
		    !security_level_allows(library, ssl, option->version))
			continue;
		if (!versions->lowest)
			versions->lowest = option->version;
		versions->highest = option->version;
	}
}
