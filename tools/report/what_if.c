/*
 * Knows what the recorder does below a floor; must not know how records are counted.
 */
#include "tools/report/what_if.h"

#include "shim/config/config_exception.h"
#include "shim/record/record_values.h"
#include "shim/record/tls_names.h"

/* True if the other end is this machine: 127.0.0.0/8, ::1, or no address at all. */
static bool is_loopback(struct slice address)
{
	return address.length == 0 || slice_equal(address, SLICE_LITERAL("::1")) ||
	       (address.length > 4 && memcmp(address.start, "127.", 4) == 0);
}

/* Where a library is watched, enforcing raises its minimum: nothing less is accepted then. */
static bool is_seen_by_library(const struct entry *entry)
{
	static const struct slice names[WITNESS_NUMBER_END] = {
#define WITNESS(name, text, meaning) [WITNESS_NUMBER_##name] = {text, sizeof(text) - 1},
#include "shim/record/record_values.def"
	};
	struct slice witnesses = entry_get(entry, ENTRY_witnesses);

	for (unsigned i = 0; witnesses.length > 0 && i < WITNESS_NUMBER_END; i++) {
		if (i != WITNESS_NUMBER_WIRE && memmem(witnesses.start, witnesses.length,
						       names[i].start, names[i].length) != NULL)
			return true;
	}
	return false;
}

/* The exception of the settings file that applied to a connection. False: none did. */
static bool exception_of(const struct entry *entry, struct config_exception *exception)
{
	struct slice text = entry_get(entry, ENTRY_exception);
	char copy[CONFIG_EXCEPTION_TEXT_MAX];

	if (text.length == 0 || text.length >= sizeof(copy))
		return false;
	memcpy(copy, text.start, text.length);
	copy[text.length] = '\0';
	return config_exception_parse(exception, copy) == NULL;
}

/* With `floor:none` nothing is held, and nothing raised; what is below the floor is said to be. */
static enum entry_verdict what_if_none(const struct entry *entry, enum entry_version version,
				       enum entry_verdict verdict, enum entry_version floor)
{
	enum entry_version least = entry_least_accepted(entry);

	if (version < floor)
		return VERDICT_BELOW_FLOOR;
	if (least == VERSION_UNKNOWN)
		return verdict == VERDICT_BELOW_FLOOR ? VERDICT_OK : verdict;
	return least < floor ? VERDICT_AT_RISK : VERDICT_OK;
}

enum entry_verdict what_if(const struct entry *entry, enum entry_version version,
			   enum entry_verdict verdict, enum entry_version floor)
{
	enum entry_version least = entry_least_accepted(entry);
	struct config_exception exception;
	bool excepted = exception_of(entry, &exception);
	bool lets_through = excepted && exception.floor == 0;

	if (verdict == VERDICT_PLAINTEXT)
		return lets_through || is_loopback(entry_get(entry, ENTRY_destination_ip))
			       ? VERDICT_PLAINTEXT
			       : VERDICT_REFUSED;
	/* What came to nothing, or was refused already, stays as it is. */
	if ((verdict != VERDICT_OK && verdict != VERDICT_AT_RISK &&
	     verdict != VERDICT_BELOW_FLOOR) ||
	    version <= VERSION_UNKNOWN)
		return verdict;
	if (lets_through)
		return what_if_none(entry, version, verdict, floor);
	if (excepted)
		floor = entry_version_from(slice_of(tls_version_name(exception.floor)));
	if (version < floor)
		return VERDICT_REFUSED;
	if (least == VERSION_UNKNOWN && !is_seen_by_library(entry))
		return verdict == VERDICT_BELOW_FLOOR ? VERDICT_OK : verdict;
	return least < floor && !is_seen_by_library(entry) ? VERDICT_AT_RISK : VERDICT_OK;
}
