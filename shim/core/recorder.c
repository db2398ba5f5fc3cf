/*
 * The last steps of every record. Nothing here knows OpenSSL or a socket.
 */
#include "shim/core/recorder.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim/config/config_load.h"
#include "shim/core/output.h"
#include "shim/core/sandbox.h"
#include "shim/core/slab.h"
#include "shim/record/event_id.h"
#include "shim/base/loaded_objects.h"
#include "shim/base/sys.h"
#include "shim/base/text.h"

struct recorder recorder;

/* Until the start, and where no page can be had: zeroed, not wiped by fork. */
static struct recorder_process process_before_start;
struct recorder_process *recorder_process = &process_before_start;

struct config_errors recorder_errors;

/* The kernel's function in this process, which makes no system call (vdso(7)). */
typedef int clock_function(clockid_t clock, struct timespec *now);
static _Atomic(clock_function *) vdso_clock;
static atomic_bool looked_for_clock;

static void find_vdso_clock(void)
{
	static const char *const names[] = {"__vdso_clock_gettime", "__kernel_clock_gettime"};
	struct loaded_object vdso;

	/* Where time has 64 bits and a long has not, its time is another one than ours. */
	if (sizeof(time_t) == sizeof(long) && loaded_object_of_kernel(&vdso)) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			void *function = loaded_object_function(&vdso, names[i]);

			if (function)
				atomic_store(&vdso_clock, (clock_function *)(uintptr_t)function);
		}
	}
	atomic_store(&looked_for_clock, true);
}

static void read_clock(clockid_t clock, struct timespec *now)
{
	clock_function *function;

	if (!atomic_load_explicit(&looked_for_clock, memory_order_acquire))
		find_vdso_clock();
	function = atomic_load(&vdso_clock);
	*now = (struct timespec){0};
	/* Without the processor's counter, which strict mode forbids to read. */
	if (sandbox_is_closed() && sandbox_is_strict())
		clock = clock == CLOCK_REALTIME ? CLOCK_REALTIME_COARSE : CLOCK_MONOTONIC_COARSE;
	if (function && function(clock, now) == 0)
		return;
	if (!sandbox_is_closed())
		sys_clock(clock, now);
}

void recorder_now(struct timespec *now)
{
	read_clock(CLOCK_REALTIME, now);
}

uint64_t recorder_clock(void)
{
	struct timespec now;

	read_clock(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

int64_t recorder_seconds(void)
{
	struct timespec now;

	read_clock(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

void recorder_enter(void)
{
	if (recorder_process->pid == 0)
		recorder_process->pid = sys_getpid();
}

bool recorder_owns_tables(void)
{
	const pid_t own = sys_getpid();

	if (recorder_process->pid == 0)
		recorder_process->pid = own;
	return recorder_process->pid == own;
}

void recorder_begin_child(void)
{
	if (!recorder_owns_tables())
		*recorder_process = (struct recorder_process){.pid = sys_getpid()};
}

/* The parent's executable, asked again only when the parent changes. */
static const char *parent_executable(pid_t parent, char path[ORIGIN_PATH_MAX])
{
	static _Atomic pid_t cached_parent;
	static char cached_path[ORIGIN_PATH_MAX];
	static atomic_flag writing = ATOMIC_FLAG_INIT;

	if (atomic_load_explicit(&cached_parent, memory_order_acquire) == parent)
		return cached_path;
	path[0] = '\0';
	if (sandbox_is_closed())
		return path;
	origin_executable_of(parent, path);
	/* The first parent is the one that counts; a later one is asked each time. */
	if (!atomic_flag_test_and_set(&writing)) {
		memcpy(cached_path, path, ORIGIN_PATH_MAX);
		atomic_store_explicit(&cached_parent, parent, memory_order_release);
	}
	return path;
}

static const char *known(const char *text)
{
	return text[0] ? text : NULL;
}

/* CLOCK_REALTIME in nanoseconds. */
static uint64_t nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * 1000000000U + (uint64_t)time->tv_nsec;
}

/* No system call: a process that was forked into a sandbox has a name of its own as well. */
static void name_event(char text[EVENT_ID_SIZE], uint64_t pid)
{
	struct event_id id = {
		.random = {recorder.event_random[0], recorder.event_random[1]},
		.pid = pid,
		.since = 0,
		.count = atomic_fetch_add(&recorder_process->records, 1) + 1,
	};
	struct timespec now;
	uint64_t first;

	read_clock(CLOCK_REALTIME, &now);
	first = nanoseconds(&now);
	if (atomic_compare_exchange_strong(&recorder_process->since, &id.since, first))
		id.since = first;
	event_id_write(text, &id);
}

void recorder_tell_policy(struct record *record, const struct enforcement_policy *policy)
{
	record->mode = (enum record_mode)(policy->mode - MODE_AUDIT + RECORD_MODE_AUDIT);
	record->floor = policy->floor;
	record->exception = policy->exception ? policy->exception->text : NULL;
}

/* What has no room on a stack that may be a signal handler's. */
struct room {
	struct record record;
	char prefix[OUTPUT_PREFIX_MAX]; /* of the line */
	char line[RECORD_LINE_MAX + OUTPUT_SUFFIX_MAX];
	char user[16];
	char event_id[EVENT_ID_SIZE];
	char parent[ORIGIN_PATH_MAX];
	struct log_path path;
};

static struct slab rooms = {.size = (sizeof(struct room) + 63) / 64 * 64, .first = 2};

/* As they were when they could be asked last. */
static _Atomic uid_t last_user;
static _Atomic pid_t last_parent;

static void remember(void)
{
	recorder_enter();
	atomic_store(&last_user, sys_geteuid());
	atomic_store(&last_parent, sys_getppid());
}

/* `facts` are copied, so that no pointer to our texts outlives the call. */
static bool write_in(struct room *room, const struct record *facts)
{
	struct record *record = &room->record;

	if (!sandbox_is_closed())
		remember();
	*record = *facts;
	if (record->timestamp.tv_sec == 0)
		read_clock(CLOCK_REALTIME, &record->timestamp);
	room->user[0] = '\0';
	text_append_number(room->user, sizeof(room->user), atomic_load(&last_user));
	record->ecs_version = RECORD_ECS_VERSION;
	/* A connection's own may be an exception's. */
	if (record->floor == 0)
		recorder_tell_policy(record, &recorder.policy);
	record->service = known(recorder.config.service);
	record->host = known(recorder.process.host);
	record->pid = (uint64_t)recorder_process->pid;
	record->executable = known(recorder.process.executable);
	record->user = room->user;
	name_event(room->event_id, record->pid);
	record->event_id = room->event_id;
	record->parent_pid = (uint64_t)atomic_load(&last_parent);
	record->parent_executable =
		known(parent_executable((pid_t)record->parent_pid, room->parent));
	record->script = known(recorder.process.script);
	record->caller = known(recorder.process.caller);
	return output_write(&recorder.config, room->line, record_write(room->line, record),
			    atomic_load(&last_user), &room->path);
}

static bool write_record(const struct record *facts)
{
	uint32_t number;
	struct room *room = slab_claim(&rooms, &number);
	bool written;

	if (!room)
		return false;
	written = write_in(room, facts);
	slab_free(&rooms, number);
	return written;
}

void recorder_prepare_sandbox(void)
{
	uint32_t number;

	remember();
	find_vdso_clock();
	/* Afterwards nothing can be mapped. */
	if (slab_claim(&rooms, &number))
		slab_free(&rooms, number);
}

void recorder_count_lost(void)
{
	atomic_fetch_add(&recorder_process->lost, 1);
}

static void tell_errors(void)
{
	if (recorder_errors.count == 0 || atomic_exchange(&recorder_process->errors_told, true))
		return;
	for (unsigned i = 0; i < recorder_errors.count; i++) {
		struct record record = {
			.action = RECORD_ACTION_CONFIGURATION_ERROR,
			.outcome = RECORD_OUTCOME_FAILURE,
			.reason = recorder_errors.message[i],
		};

		if (!write_record(&record))
			atomic_fetch_add(&recorder_process->lost, 1);
	}
}

/* Exceptions that are over, once each: what they held open is shut again. */
static void tell_exceptions(void)
{
	int64_t now;

	if (recorder.config.exception_count == 0)
		return;
	now = recorder_seconds();
	for (unsigned i = 0; i < recorder.config.exception_count; i++) {
		const struct config_exception *exception = &recorder.config.exception[i];
		char words[CONFIG_EXCEPTION_TEXT_MAX + 64] = CONFIG_FILE ": the exception '";
		struct record record = {
			.action = RECORD_ACTION_CONFIGURATION_ERROR,
			.outcome = RECORD_OUTCOME_FAILURE,
			.reason = words,
		};

		if (!enforcement_is_over(exception, now) ||
		    atomic_fetch_or(&recorder_process->exceptions_told, 1U << i) & 1U << i)
			continue;
		text_append(words, sizeof(words), exception->text);
		text_append(words, sizeof(words), "' is over, and applies no more");
		if (!write_record(&record))
			atomic_fetch_add(&recorder_process->lost, 1);
	}
}

static void tell_lost(void)
{
	uint64_t lost = atomic_exchange(&recorder_process->lost, 0);
	struct record record = {
		.action = RECORD_ACTION_LOST, .outcome = RECORD_OUTCOME_FAILURE, .lost = lost};

	if (lost > 0 && !write_record(&record))
		atomic_fetch_add(&recorder_process->lost, lost);
}

void recorder_emit(struct record *record)
{
	int saved = errno;

	tell_errors();
	tell_exceptions();
	if (!write_record(record))
		atomic_fetch_add(&recorder_process->lost, 1);
	else if (atomic_load_explicit(&recorder_process->lost, memory_order_relaxed) > 0)
		tell_lost();
	errno = saved;
}

/* What an earlier failure left untold, if the log can be written by now. */
void recorder_finish(void)
{
	int saved = errno;

	if (recorder.on && atomic_load(&recorder_process->lost) > 0)
		tell_lost();
	errno = saved;
}
