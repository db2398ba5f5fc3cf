/*
 * Records without a network, as fast as they can be made: each is a handshake
 * over memory that is freed after its first step (scope `all` records it).
 *   giver_up COUNT              so many; 0: without end
 *   giver_up COUNT mkdir PATH   makes the directory before the last one
 *   giver_up COUNT rename A B   renames A to B before the last one
 */
#include <sys/stat.h>

#include "tests/programs/client.h"

static void give_up(SSL_CTX *context)
{
	SSL *ssl = SSL_new(context);
	BIO *input = BIO_new(BIO_s_mem());

	BIO_set_mem_eof_return(input, -1);
	SSL_set_bio(ssl, input, BIO_new(BIO_s_mem()));
	if (SSL_connect(ssl) != -1)
		fail("the handshake did not wait");
	SSL_free(ssl);
}

int main(int argc, char **argv)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (argc < 2)
		return 2;
	const unsigned long count = strtoul(argv[1], NULL, 10);
	for (unsigned long i = 1; count == 0 || i <= count; i++) {
		if (i == count && argc == 4 && mkdir(argv[3], 0700) != 0)
			fail(argv[3]);
		if (i == count && argc == 5 && rename(argv[3], argv[4]) != 0)
			fail(argv[3]);
		give_up(context);
	}
	SSL_CTX_free(context);
	return 0;
}
