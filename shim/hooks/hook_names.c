/*
 * Hook of libc's resolver: by which name the application knows an address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "shim/core/dns_cache.h"
#include "shim/hooks/real_libc.h"

static void remember_answer(const struct addrinfo *answer, const char *name)
{
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff};

	if (answer->ai_family == AF_INET && answer->ai_addr)
		memcpy(address + 12,
		       &((const struct sockaddr_in *)(const void *)answer->ai_addr)->sin_addr, 4);
	else if (answer->ai_family == AF_INET6 && answer->ai_addr)
		memcpy(address,
		       &((const struct sockaddr_in6 *)(const void *)answer->ai_addr)->sin6_addr,
		       16);
	else
		return;
	dns_cache_remember(address, name);
}

static bool is_address(const char *name)
{
	uint8_t address[16];

	return strchr(name, ':') || inet_pton(AF_INET, name, address) == 1;
}

EXPORT int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
		       struct addrinfo **answers)
{
	int result = libc()->getaddrinfo(name, service, hints, answers);
	int saved = errno;

	if (result == 0 && name && !is_address(name)) {
		for (const struct addrinfo *answer = *answers; answer; answer = answer->ai_next)
			remember_answer(answer, name);
	}
	errno = saved;
	return result;
}
