#include "shim/core/hello.h"

#include <stddef.h>
#include <string.h>

#define HELLOS_MAX 4096

struct hello {
	_Atomic bool *settled; /* NULL: free */
	uint8_t random[TLS_RANDOM_SIZE];
};

static struct hello hellos[HELLOS_MAX];
static unsigned used_most;
static unsigned expected; /* spares the search */

static struct hello *find(const uint8_t random[TLS_RANDOM_SIZE])
{
	for (unsigned i = 0; expected > 0 && i < used_most; i++) {
		if (hellos[i].settled && memcmp(hellos[i].random, random, TLS_RANDOM_SIZE) == 0)
			return &hellos[i];
	}
	return NULL;
}

static void free_hello(struct hello *hello)
{
	hello->settled = NULL;
	expected--;
}

bool hello_expect(const uint8_t random[TLS_RANDOM_SIZE], _Atomic bool *settled)
{
	for (unsigned i = 0; i < HELLOS_MAX; i++) {
		if (hellos[i].settled)
			continue;
		hellos[i].settled = settled;
		memcpy(hellos[i].random, random, TLS_RANDOM_SIZE);
		if (i >= used_most)
			used_most = i + 1;
		expected++;
		return true;
	}
	return false;
}

bool hello_is_expected(const uint8_t random[TLS_RANDOM_SIZE])
{
	return find(random) != NULL;
}

void hello_settle(const uint8_t random[TLS_RANDOM_SIZE])
{
	struct hello *hello = find(random);

	if (!hello)
		return;
	*hello->settled = true;
	free_hello(hello);
}

void hello_forget(const _Atomic bool *settled)
{
	for (unsigned i = 0; expected > 0 && i < used_most; i++) {
		if (hellos[i].settled == settled)
			free_hello(&hellos[i]);
	}
}
