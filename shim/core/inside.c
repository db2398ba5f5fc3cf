#include "shim/core/inside.h"

#include "shim/core/certificate_checks.h"
#include "shim/core/enforcement.h"
#include "shim/core/join.h"
#include "shim/core/recorder.h"

static void judge(struct connection *connection, const struct certificate_checks *checks, bool used)
{
	connection_set_certificate(connection, certificate_judgement(checks, used),
				   certificate_failure(checks, used));
}

/* The record with what is known by now. */
static void record(struct tls_object *object, bool used)
{
	struct connection *connection = object->undecided;

	object->undecided = NULL;
	judge(connection, &object->checks, used);
	connection_record_handshake(connection);
	connection_release(connection);
}

/* Nothing that follows could be worse or better. */
static bool is_settled(const struct certificate_checks *checks)
{
	return checks->chain == CHECK_PASSED && checks->name == CHECK_PASSED;
}

void inside_begin(struct tls_object *object, struct connection *connection)
{
	object->undecided = connection;
	object->is_mail = connection_in_scope(connection);
	judge(connection, &object->checks, false);
	if (!object->is_mail)
		smtp_dialogue_init(&object->inside, false);
	else if (is_settled(&object->checks))
		record(object, false);
	else
		connection_wait(connection);
}

void inside_checked(struct tls_object *object)
{
	if (object->undecided)
		judge(object->undecided, &object->checks, false);
}

static bool is_to_be_refused(const struct tls_object *object)
{
	const struct enforcement_policy policy = connection_policy(object->undecided);

	return enforcement_of_version(&policy, connection_library_version(object->undecided)) !=
	       ENFORCEMENT_PROCEED;
}

/*
 * Mail, and below the floor, on a port that did not say so. It is the floor that
 * ends it: whatever was found wrong with the certificate, the program goes on.
 */
static void refuse(struct tls_object *object)
{
	struct connection *connection = object->undecided;

	object->undecided = NULL;
	object->refused = true;
	judge(connection, &object->checks, true);
	connection_found_mail_inside(connection);
	connection_refuse(connection);
	connection_release(connection);
}

static bool may_write(struct tls_object *object, const void *bytes, size_t length)
{
	struct smtp_dialogue ahead;

	if (!object->undecided || object->is_mail || !is_to_be_refused(object))
		return true;
	ahead = object->inside;
	smtp_dialogue_feed(&ahead, SMTP_FROM_CLIENT, bytes, length);
	/* After a greeting, the beginning of a verb that SMTP begins with is enough. */
	if (ahead.state != SMTP_DIALOGUE &&
	    !(ahead.state == SMTP_UNDECIDED && ahead.greeted && length > 0))
		return true;
	refuse(object);
	return false;
}

static bool passed(struct tls_object *object, enum smtp_side from, const void *bytes, size_t length)
{
	struct connection *connection = object->undecided;

	if (!connection)
		return true;
	if (object->is_mail) {
		record(object, true);
		return true;
	}
	smtp_dialogue_feed(&object->inside, from, bytes, length);
	if (object->inside.state == SMTP_UNDECIDED)
		return true;
	if (object->inside.state != SMTP_DIALOGUE) {
		object->undecided = NULL;
		connection_ignore(connection);
		connection_release(connection);
		return true;
	}
	if (is_to_be_refused(object)) {
		refuse(object);
		return false;
	}
	connection_found_mail_inside(connection);
	record(object, true);
	return true;
}

/*
 * A library may be sending in one thread and receiving in another. The one that
 * comes second to the very first bytes leaves them to the other.
 */
static bool enter(struct tls_object *object)
{
	return !atomic_exchange_explicit(&object->busy, true, memory_order_acquire);
}

static void leave(struct tls_object *object)
{
	atomic_store_explicit(&object->busy, false, memory_order_release);
}

bool inside_may_write(struct tls_object *object, const void *bytes, size_t length)
{
	bool allowed;

	if (!object->undecided || !enter(object))
		return true;
	allowed = may_write(object, bytes, length);
	leave(object);
	return allowed;
}

bool inside_passed(struct tls_object *object, enum smtp_side from, const void *bytes, size_t length)
{
	bool allowed;

	if (!object->undecided || !enter(object))
		return true;
	allowed = passed(object, from, bytes, length);
	leave(object);
	return allowed;
}
