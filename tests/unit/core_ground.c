#include "tests/unit/core_ground.h"

#include <unistd.h>

#include "shim/base/loaded_objects.h"
#include "shim/base/text.h"
#include "shim/core/output.h"
#include "shim/core/recorder.h"
#include "shim/core/sandbox.h"
#include "shim/core/setting.h"
#include "shim/origin/origin.h"

struct core_ground core_ground = {.clock = 5000};

/* ---- recorder.c ---- */

struct recorder recorder;
static struct recorder_process process;
struct recorder_process *recorder_process = &process;

void recorder_enter(void)
{
	process.pid = getpid();
}

bool recorder_owns_tables(void)
{
	return !core_ground.is_borrowed;
}

void recorder_emit(struct record *record)
{
	core_ground.record = *record;
	core_ground.reason[0] = '\0';
	if (record->reason)
		text_append(core_ground.reason, sizeof(core_ground.reason), record->reason);
	core_ground.emitted++;
}

void recorder_count_lost(void)
{
	core_ground.lost++;
}

void recorder_tell_policy(struct record *record, const struct enforcement_policy *policy)
{
	(void)record;
	(void)policy;
}

unsigned recorder_forks(void)
{
	return 0;
}

uint64_t recorder_clock(void)
{
	return core_ground.clock;
}

int64_t recorder_seconds(void)
{
	return 1800000000; /* 2027-01-15 */
}

void core_ground_start(void)
{
	recorder.on = true;
	config_defaults(&recorder.config);
	recorder.policy = enforcement_policy(&recorder.config);
	recorder_enter();
}

/* ---- sandbox.c, output.c, setting.c ---- */

atomic_bool sandbox_closed;

bool sandbox_may_map(void)
{
	return core_ground.may_map || !sandbox_is_closed();
}

void sandbox_look(void)
{
}

void output_forget(void)
{
}

void setting_tell_all(void)
{
}

/* ---- of the floors below ---- */

bool loaded_objects_named(const char *prefix, struct loaded_object *object)
{
	(void)prefix;
	(void)object;
	return false;
}

bool origin_of_script(struct origin *origin)
{
	(void)origin;
	return false;
}

bool origin_native(struct origin *origin, const void *caller)
{
	(void)origin;
	(void)caller;
	return false;
}
