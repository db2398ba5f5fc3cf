#include "shim/core/endpoint.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "shim/base/sys.h"

bool endpoint_set(struct endpoint *endpoint, const struct sockaddr *address, socklen_t length)
{
	static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (length >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)address;

		memcpy(endpoint->address, v4_mapped, sizeof(v4_mapped));
		memcpy(endpoint->address + 12, &v4->sin_addr, 4);
		endpoint->port = ntohs(v4->sin_port);
	} else if (length >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)address;

		memcpy(endpoint->address, &v6->sin6_addr, 16);
		endpoint->port = ntohs(v6->sin6_port);
	} else {
		return false;
	}
	endpoint->family =
		memcmp(endpoint->address, v4_mapped, sizeof(v4_mapped)) == 0 ? AF_INET : AF_INET6;
	return true;
}

bool endpoint_is_stream_socket(int fd)
{
	int type = 0;
	socklen_t length = sizeof(type);

	return sys_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

bool endpoint_of_peer(struct endpoint *endpoint, int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	return sys_getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
	       endpoint_set(endpoint, (struct sockaddr *)&address, length) &&
	       endpoint_is_stream_socket(fd);
}

void endpoint_of_self(struct endpoint *endpoint, int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (sys_getsockname(fd, (struct sockaddr *)&address, &length) != 0 ||
	    !endpoint_set(endpoint, (struct sockaddr *)&address, length) || endpoint->port == 0)
		endpoint->family = 0;
}

bool endpoint_is_same(const struct endpoint *one, const struct endpoint *other)
{
	return one->port == other->port && memcmp(one->address, other->address, 16) == 0;
}

bool endpoint_is_loopback(const struct endpoint *endpoint)
{
	static const uint8_t v6_loopback[16] = {[15] = 1};

	if (endpoint->family == AF_INET)
		return endpoint->address[12] == 127; /* RFC 1122, 3.2.1.3 */
	return memcmp(endpoint->address, v6_loopback, sizeof(v6_loopback)) == 0;
}

uint64_t endpoint_cookie(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	return sys_getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == 0 ? cookie : 0;
}

uint64_t endpoint_bytes_acknowledged(int fd)
{
	/* Linux 4.1 and later; where it stands in struct tcp_info never changes (linux/tcp.h). */
	enum { BYTES_ACKED = 120 };
	uint8_t info[BYTES_ACKED + sizeof(uint64_t)];
	uint64_t bytes = 0;
	socklen_t length = sizeof(info);

	if (sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &length) != 0 || length < sizeof(info))
		return 0;
	memcpy(&bytes, info + BYTES_ACKED, sizeof(bytes));
	/* The opening of the connection counts as one, and so does its end. */
	return bytes > 2 ? bytes - 2 : 0;
}
