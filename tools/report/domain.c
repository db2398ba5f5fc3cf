/*
 * Knows names of hosts; must not know records.
 */
#include "tools/report/domain.h"

#include <libpsl.h>
#include <pthread.h>

static const psl_ctx_t *list;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

/* Kept until the end: every thread asks. */
static void load(void)
{
	list = psl_latest(NULL);
	if (!list)
		list = psl_builtin();
}

/* No label at the end of a name is a number (RFC 3696, 2). */
static bool is_address(struct slice host)
{
	char last = host.start[host.length - 1];

	return memchr(host.start, ':', host.length) || (last >= '0' && last <= '9');
}

struct slice registrable_domain(struct slice host, char room[DOMAIN_MAX])
{
	const char *domain = NULL;

	if (host.length > 1 && host.start[host.length - 1] == '.')
		host.length--;
	if (host.length == 0 || host.length >= DOMAIN_MAX || is_address(host))
		return host;
	for (size_t i = 0; i < host.length; i++)
		room[i] = (char)(host.start[i] >= 'A' && host.start[i] <= 'Z' ? host.start[i] | 0x20
									      : host.start[i]);
	room[host.length] = '\0';
	pthread_once(&loaded, load);
	domain = list ? psl_registrable_domain(list, room) : NULL;
	return slice_of(domain ? domain : room);
}
