/*
 * Knows the record's fields; must not know who counts them.
 */
#include "tools/log/counted.h"

const struct counted_field counted_fields[ENTRY_FIELDS] = {
#define FIELD(key, kind, member) [ENTRY_##member] = {key, ENTRY_KIND_##kind},
#include "shim/record/record_fields.def"
#undef FIELD
};

bool counted_tells_apart(enum entry_field field)
{
	switch (field) {
	case ENTRY_timestamp:
	case ENTRY_event_id:
	case ENTRY_ecs_version:
	case ENTRY_duration:
	case ENTRY_source_ip:
	case ENTRY_source_port:
	case ENTRY_pid:
	case ENTRY_parent_pid:
	case ENTRY_stack:
	case ENTRY_lost:
	case ENTRY_count:
	case ENTRY_first:
		return false;
	default:
		return true;
	}
}
