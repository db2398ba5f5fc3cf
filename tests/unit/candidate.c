/*
 * What becomes of a connection's candidate once it is known what it is.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <criterion/criterion.h>

#include "shim/core/candidate.h"
#include "shim/core/connection.h"
#include "shim/core/connection_state.h"
#include "shim/core/descriptor_table.h"
#include "shim/core/recorder.h"
#include "tests/unit/core_ground.h"

TestSuite(candidate, .init = core_ground_start);

/* No descriptor of this process: who is asked about it has nothing to say. */
#define FD 700

/* Its entry, behind a connect to a port that is nobody's. */
static uint32_t open_one(void)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons(8080),
					    .sin_addr.s_addr = htonl(0xc0000201)};

	cr_assert(connection_opened(FD, (const struct sockaddr *)&address, sizeof(address), NULL));
	cr_assert_eq(descriptor_kind(descriptor_entry(FD)), DESCRIPTOR_CANDIDATE);
	cr_assert(candidate_is_any());
	return descriptor_entry(FD);
}

/* Nobody holds it, and its place is the next one's. */
static void expect_gone(uint32_t entry)
{
	cr_expect_not(candidate_is_any());
	cr_expect_null(candidate_hold(descriptor_number(entry)));
	cr_expect_eq(descriptor_number(open_one()), descriptor_number(entry));
}

Test(candidate, that_is_no_mail_leaves_nothing)
{
	const uint32_t entry = open_one();

	connection_dismiss_candidate(FD, entry);
	cr_expect(descriptor_unmonitored(FD));
	expect_gone(entry);
}

Test(candidate, that_is_refused_leaves_its_refusal)
{
	const uint32_t entry = open_one();

	connection_block_candidate(FD, entry);
	cr_expect_eq(descriptor_kind(descriptor_entry(FD)), DESCRIPTOR_BLOCKED);
	expect_gone(entry);
}

Test(candidate, whose_descriptor_is_closed_leaves_nothing)
{
	const uint32_t entry = open_one();

	connection_closing(FD);
	cr_expect(descriptor_unmonitored(FD));
	expect_gone(entry);
}

/* A connection to a port that is nobody's. */
static int connected(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	cr_assert_eq(listen(listener, 1), 0);
	cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, length), 0);
	return fd;
}

/* A child made by vfork has descriptors of its own, and its parent's table of them. */
Test(candidate, that_arrives_is_noted_where_the_table_is_that_of_the_process)
{
	const int fd = connected();

	core_ground.is_borrowed = true;
	connection_arrived(fd);
	cr_expect(descriptor_unmonitored(fd));
	core_ground.is_borrowed = false;
	recorder.on = false;
	connection_arrived(fd);
	cr_expect(descriptor_unmonitored(fd));
	recorder.on = true;
	connection_arrived(fd);
	cr_expect_eq(descriptor_kind(descriptor_entry(fd)), DESCRIPTOR_CANDIDATE);
}
