#include "shim/core/origin_pool.h"

#include "shim/core/slab.h"

struct pooled_origin {
	struct origin origin; /* first: the room of an origin is found by it */
	uint32_t number;
};

static struct slab origins = {.size = (sizeof(struct pooled_origin) + 63) / 64 * 64, .first = 4};

struct origin *origin_pool_claim(void)
{
	uint32_t number;
	struct pooled_origin *pooled = slab_claim(&origins, &number);

	if (!pooled)
		return NULL;
	pooled->number = number;
	origin_init(&pooled->origin);
	return &pooled->origin;
}

void origin_pool_free(struct origin *origin)
{
	if (origin)
		slab_free(&origins, ((struct pooled_origin *)(void *)origin)->number);
}
