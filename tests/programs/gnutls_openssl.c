/*
 * A client of GnuTLS's compatibility layer, libgnutls-openssl, whose functions
 * have OpenSSL's names and are none of its: gnutls_openssl PORT
 */
#include "tests/programs/client.h"

/* By its name in a string: OpenSSL's headers make macros of some of them. */
#define SYMBOL(pointer, name)                                  \
	do {                                                   \
		void *address = dlsym(layer, name);            \
		if (!address)                                  \
			fail(name);                            \
		memcpy(&(pointer), &address, sizeof(address)); \
	} while (0)

int main(int argc, char **argv)
{
	void *layer = dlopen("libgnutls-openssl.so.27", RTLD_NOW);
	int (*initialise)(void);
	void *(*method)(void);
	void *(*new_context)(void *);
	void *(*new_object)(void *);
	int (*set_fd)(void *, int);
	int (*shake_hands)(void *);
	int (*receive)(void *, void *, int);
	int (*transmit)(void *, const void *, int);
	void (*free_object)(void *);
	char bytes[1024];
	void *ssl;

	if (argc != 2 || !layer)
		fail("libgnutls-openssl");
	SYMBOL(initialise, "SSL_library_init");
	SYMBOL(method, "SSLv23_client_method");
	SYMBOL(new_context, "SSL_CTX_new");
	SYMBOL(new_object, "SSL_new");
	SYMBOL(set_fd, "SSL_set_fd");
	SYMBOL(shake_hands, "SSL_connect");
	SYMBOL(receive, "SSL_read");
	SYMBOL(transmit, "SSL_write");
	SYMBOL(free_object, "SSL_free");
	initialise();
	ssl = new_object(new_context(method()));
	set_fd(ssl, dial(port_argument(argv[1])));
	if (shake_hands(ssl) != 1)
		fail("SSL_connect");
	if (receive(ssl, bytes, sizeof(bytes)) <= 0 || transmit(ssl, "QUIT\r\n", 6) != 6)
		fail("SSL_read, SSL_write");
	while (receive(ssl, bytes, sizeof(bytes)) > 0)
		;
	free_object(ssl);
	return 0;
}
