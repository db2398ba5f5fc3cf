/*
 * Doors of libssl's settings: how an application says which versions it allows.
 */
#include "openssl_floor.h"
#include "real.h"

#define CALLER __builtin_return_address(0)

/*
 * A context for one version below the floor would be deaf to any minimum, so in
 * enforce and upgrade it is made flexible and limited to that version: outside
 * the scope it negotiates what it would have, inside the floor can be raised.
 */
DOOR SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	SSL_CTX *context;
	uint16_t pin;

	if (!library)
		return NULL;
	method = openssl_floor_flexible(library, method, &pin);
	context = library->SSL_CTX_new(method);
	openssl_floor_pin(library, context, pin);
	return context;
}

DOOR SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *library_context, const char *properties,
			     const SSL_METHOD *method)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	SSL_CTX *context;
	uint16_t pin;

	if (!library)
		return NULL;
	method = openssl_floor_flexible(library, method, &pin);
	context = library->SSL_CTX_new_ex(library_context, properties, method);
	openssl_floor_pin(library, context, pin);
	return context;
}

DOOR int SSL_CTX_set_ssl_version(SSL_CTX *context, const SSL_METHOD *method)
{
	const struct ssl_library *library = real_ssl_library(CALLER);
	uint16_t pin;
	int result;

	if (!library)
		return 0;
	method = openssl_floor_flexible(library, method, &pin);
	result = library->SSL_CTX_set_ssl_version(context, method);
	if (result == 1)
		openssl_floor_pin(library, context, pin);
	return result;
}
