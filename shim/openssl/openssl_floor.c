#include "shim/openssl/openssl_floor.h"

#include <stddef.h>

#include "shim/openssl/openssl_versions.h"
#include "shim/core/enforcement.h"
#include "shim/core/recorder.h"

/* A method that knows one version only. */
struct pinned_method {
	const char *name;
	uint16_t version; /* 0: this is none */
	bool client_only;
};

static struct pinned_method pinned_method(const struct ssl_library *library,
					  const SSL_METHOD *method)
{
	const struct {
		const SSL_METHOD *(*function)(void);
		struct pinned_method pinned;
	} methods[] = {
		{library->SSLv3_method, {"SSLv3_method", TLS_VERSION_SSL_3_0, false}},
		{library->SSLv3_client_method, {"SSLv3_client_method", TLS_VERSION_SSL_3_0, true}},
		{library->TLSv1_method, {"TLSv1_method", TLS_VERSION_1_0, false}},
		{library->TLSv1_client_method, {"TLSv1_client_method", TLS_VERSION_1_0, true}},
		{library->TLSv1_1_method, {"TLSv1_1_method", TLS_VERSION_1_1, false}},
		{library->TLSv1_1_client_method, {"TLSv1_1_client_method", TLS_VERSION_1_1, true}},
		{library->TLSv1_2_method, {"TLSv1_2_method", TLS_VERSION_1_2, false}},
		{library->TLSv1_2_client_method, {"TLSv1_2_client_method", TLS_VERSION_1_2, true}},
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (methods[i].function && methods[i].function() == method)
			return methods[i].pinned;
	}
	return (struct pinned_method){0};
}

const char *openssl_floor_pinned_name(const struct ssl_library *library, const SSL_METHOD *method)
{
	return pinned_method(library, method).name;
}

const SSL_METHOD *openssl_floor_flexible(const struct ssl_library *library,
					 const SSL_METHOD *method, uint16_t *pin)
{
	struct pinned_method pinned;

	*pin = 0;
	if (!recorder.on || !enforcement_refuses(&recorder.policy) || !method ||
	    !library->TLS_method || !library->TLS_client_method)
		return method;
	pinned = pinned_method(library, method);
	if (pinned.version == 0 || !enforcement_is_below_floor(&recorder.policy, pinned.version))
		return method;
	*pin = pinned.version;
	return pinned.client_only ? library->TLS_client_method() : library->TLS_method();
}

void openssl_floor_pin(const struct ssl_library *library, SSL_CTX *context, uint16_t pin)
{
	if (!context || pin == 0)
		return;
	library->SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, pin, NULL);
	library->SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, pin, NULL);
}

bool openssl_floor_is_pinned_below(const struct ssl_library *library, SSL *ssl,
				   const struct enforcement_policy *policy)
{
	uint16_t version;

	if (!library->SSL_get_SSL_CTX || !library->SSL_CTX_get_ssl_method)
		return false;
	/* The first step reverts a method set on the connection to the context's. */
	version = pinned_method(library,
				library->SSL_CTX_get_ssl_method(library->SSL_get_SSL_CTX(ssl)))
			  .version;
	return version != 0 && enforcement_is_below_floor(policy, version);
}

/* Takes away what leaves nothing at or above the floor: a maximum first, then options. */
static void lift(const struct ssl_library *library, SSL *ssl,
		 const struct enforcement_policy *policy)
{
	struct openssl_versions versions;

	openssl_versions_read(&versions, library, ssl);
	if (!enforcement_is_below_floor(policy, versions.highest))
		return;
	if (versions.configured_max && enforcement_is_below_floor(policy, versions.configured_max))
		library->SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, 0, NULL);
	openssl_versions_read(&versions, library, ssl);
	if (enforcement_is_below_floor(policy, versions.highest) && library->SSL_clear_options)
		library->SSL_clear_options(ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
}

bool openssl_floor_raise(const struct ssl_library *library, SSL *ssl,
			 const struct enforcement_policy *policy, struct openssl_versions *found)
{
	openssl_versions_read(found, library, ssl);
	if (enforcement_lifts(policy))
		lift(library, ssl, policy);
	if (enforcement_is_below_floor(policy, found->configured_min))
		library->SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, policy->floor, NULL);
	/* With nothing open at all, it fails by the application's own settings. */
	return found->lowest != 0 && enforcement_is_below_floor(policy, found->lowest);
}

void openssl_floor_raise_error(const struct ssl_library *library)
{
	const struct crypto_library *crypto = &library->crypto;

	if (crypto->ERR_new && crypto->ERR_set_error) {
		crypto->ERR_new();
		crypto->ERR_set_error(ERR_LIB_SSL, SSL_R_UNSUPPORTED_PROTOCOL, NULL);
	} else if (crypto->ERR_put_error) {
		/* 1.1: the function's number is only shown, never compared. */
		crypto->ERR_put_error(ERR_LIB_SSL, 0, SSL_R_UNSUPPORTED_PROTOCOL, __FILE__,
				      __LINE__);
	}
}

bool openssl_floor_is_version_error(const struct ssl_library *library)
{
	unsigned long error = library->crypto.ERR_peek_last_error();
	/* Packed as the loaded library has it, whatever the headers are: a bit more in 1.1, which
	   keeps the function between the two. The reasons of libssl fit in 12 bits in both. */
	unsigned long number = (error >> (library->crypto.ERR_new ? 23 : 24)) & 0xff;

	if (number != ERR_LIB_SSL)
		return false;
	switch (error & 0xfff) {
	case SSL_R_NO_PROTOCOLS_AVAILABLE:
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_VERSION_TOO_LOW:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
		return true;
	default:
		return false;
	}
}
