#include "shim/core/dns_cache.h"

#include <string.h>

#include "shim/core/guard.h"

#define NAMES_MAX 256

struct answer {
	uint8_t address[16];
	char name[DNS_NAME_MAX + 1];
};

static struct answer answers[NAMES_MAX];
static unsigned next;

/* Without it nothing is remembered, and no name is known. */
static struct guard guard;

static struct answer *find(const uint8_t address[16])
{
	for (unsigned i = 0; i < NAMES_MAX && answers[i].name[0]; i++) {
		if (memcmp(answers[i].address, address, 16) == 0)
			return &answers[i];
	}
	return NULL;
}

void dns_cache_remember(const uint8_t address[16], const char *name)
{
	struct answer *answer;
	size_t length = strlen(name);

	if (length == 0 || length > DNS_NAME_MAX || !guard_enter(&guard))
		return;
	answer = find(address);
	if (!answer) {
		answer = &answers[next];
		next = (next + 1) % NAMES_MAX;
	}
	memcpy(answer->address, address, 16);
	memcpy(answer->name, name, length + 1);
	guard_leave(&guard);
}

void dns_cache_name(char name[DNS_NAME_MAX + 1], const uint8_t address[16])
{
	const struct answer *answer;

	name[0] = '\0';
	if (!guard_enter(&guard))
		return;
	answer = find(address);
	if (answer)
		memcpy(name, answer->name, strlen(answer->name) + 1);
	guard_leave(&guard);
}
