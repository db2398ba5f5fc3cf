/*
 * What becomes of a library's object when its library frees it.
 */
#include <criterion/criterion.h>

#include "shim/core/hello.h"
#include "shim/core/origin_pool.h"
#include "shim/core/tls_object.h"
#include "tests/unit/core_ground.h"

TestSuite(tls_object, .init = core_ground_start);

static const int object;

Test(tls_object, keeps_nothing_once_it_is_forgotten)
{
	const uint8_t random[TLS_RANDOM_SIZE] = {1};
	struct tls_object *entry = tls_object_begin(&object);
	const struct origin *origin;

	cr_assert_not_null(entry);
	entry->origin = origin_pool_claim();
	cr_assert_not_null(entry->origin);
	origin = entry->origin;
	tls_object_set_random(entry, random);
	cr_assert(hello_is_expected(random));
	tls_object_forget(entry);
	cr_expect_null(tls_object_find(&object));
	cr_expect_not(hello_is_expected(random));
	cr_expect_eq(origin_pool_claim(), origin, "its place is free again");
}

Test(tls_object, begins_anew_with_what_the_floor_set)
{
	const uint8_t random[TLS_RANDOM_SIZE] = {2};
	struct tls_object *entry = tls_object_begin(&object);
	const struct origin *origin;

	cr_assert_not_null(entry);
	entry->origin = origin_pool_claim();
	origin = entry->origin;
	entry->raised = true;
	entry->refused = true;
	entry->asked = (struct asked_versions){.known = true, .min = TLS_VERSION_1_0};
	entry->certificate = 1;
	tls_object_set_random(entry, random);
	tls_object_set_done(entry);
	cr_expect_not(hello_is_expected(random));
	cr_expect_eq(tls_object_prepare(&object), entry);
	cr_expect_not(entry->done || entry->refused || entry->random_known || entry->raised);
	cr_expect_eq(entry->certificate, 0);
	cr_expect_null(entry->origin);
	cr_expect_eq(origin_pool_claim(), origin, "its place is free again");
	/* The object still has the versions that we gave it, and the application's are known. */
	cr_expect(entry->raised_before && entry->asked.known);
	cr_expect_eq(entry->asked.min, TLS_VERSION_1_0);
	cr_expect_eq(tls_object_prepare(&object), entry, "a handshake that has not begun");
}
