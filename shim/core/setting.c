#include "shim/core/setting.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "shim/origin/origin.h"
#include "shim/core/origin_pool.h"
#include "shim/core/recorder.h"
#include "shim/base/text.h"
#include "shim/record/tls_names.h"

#define SETTINGS_MAX 48

enum setting_state { BEING_FILLED, READY, TOLD };

struct setting {
	_Atomic uint64_t place; /* hash of words and place; 0: a free slot */
	_Atomic int state;
	struct timespec made;
	struct setting_words words;
	struct origin *origin; /* NULL: no memory could be had for it */
};

static struct setting settings[SETTINGS_MAX];

/*
 * Which settings were made to which object: a bit for each slot of `settings`. A few
 * places where an object may be found, so that none has to be given back in order; the
 * oldest knowledge gives way. Without it a connection names no settings.
 */
#define OWNERS  512 /* a power of two */
#define PLACES  8
#define UNKNOWN (-1)

_Static_assert(SETTINGS_MAX <= 64, "owner.settings has a bit for each setting");

struct owner {
	_Atomic(const void *) object; /* NULL: free */
	_Atomic uint64_t settings;
};

static struct owner owners[OWNERS];

/* How many are READY; spares the look at each of them. */
static atomic_int ready;

void setting_say(struct setting_words *words, const char *text)
{
	text_append(words->text, SETTING_WORDS_MAX, text);
}

void setting_end(struct setting_words *words)
{
	static const char cut[] = "...)";
	size_t end = SETTING_WORDS_MAX - sizeof(cut);

	if (strlen(words->text) + 1 < SETTING_WORDS_MAX) {
		setting_say(words, ")");
		return;
	}
	/* Half a character would be no UTF-8. */
	while (end > 0 && ((unsigned char)words->text[end] & 0xc0) == 0x80)
		end--;
	words->text[end] = '\0';
	setting_say(words, cut);
}

void setting_say_version(struct setting_words *words, uint16_t version, const char *if_none)
{
	const char *name = tls_version_name(version);

	if (version == 0) {
		setting_say(words, if_none);
		return;
	}
	setting_say(words, version == TLS_VERSION_SSL_3_0 ? "SSL " : "TLS ");
	setting_say(words, name ? name : "unknown");
}

/* FNV-1a. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_of(const struct setting_words *words, const struct origin *origin)
{
	uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), words->text);

	for (unsigned i = 0; origin && i < origin->count; i++) {
		const struct origin_frame *frame = &origin->frame[i];

		hash = hash_text(hash, frame->file);
		hash = (hash ^ frame->line) * UINT64_C(0x100000001b3);
		if (i == origin->own)
			break;
	}
	return hash ? hash : 1;
}

static struct owner *owner_at(const void *object, unsigned place)
{
	uint64_t hash = (uint64_t)(uintptr_t)object * UINT64_C(0x9e3779b97f4a7c15);

	return &owners[((hash >> 32) + place) % OWNERS];
}

static struct owner *find_owner(const void *object)
{
	for (unsigned i = 0; object && i < PLACES; i++) {
		struct owner *owner = owner_at(object, i);

		if (atomic_load(&owner->object) == object)
			return owner;
	}
	return NULL;
}

static struct owner *make_owner(const void *object)
{
	static atomic_uint turn;
	struct owner *owner;

	for (unsigned i = 0; i < PLACES; i++) {
		const void *none = NULL;

		owner = owner_at(object, i);
		if (atomic_compare_exchange_strong(&owner->object, &none, object))
			return owner;
	}
	owner = owner_at(object, atomic_fetch_add(&turn, 1) % PLACES);
	atomic_store(&owner->settings, 0);
	atomic_store(&owner->object, object);
	return owner;
}

static void own(const void *object, int setting)
{
	struct owner *owner = find_owner(object);

	if (!object || setting == UNKNOWN)
		return;
	if (!owner)
		owner = make_owner(object);
	atomic_fetch_or(&owner->settings, UINT64_C(1) << setting);
}

void setting_forget(const void *object)
{
	struct owner *owner = find_owner(object);

	if (!owner)
		return;
	atomic_store(&owner->settings, 0);
	atomic_store(&owner->object, NULL);
}

static void write_id(char text[17], uint64_t id)
{
	for (int i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[id >> (60 - 4 * i) & 15];
	text[16] = '\0';
}

void setting_ids_of(char ids[SETTING_IDS_MAX], const void *object, const void *context)
{
	const struct owner *own = find_owner(object);
	const struct owner *shared = find_owner(context);
	uint64_t made = (own ? atomic_load(&own->settings) : 0) |
			(shared ? atomic_load(&shared->settings) : 0);
	char id[17];

	ids[0] = '\0';
	for (int i = 0; i < SETTINGS_MAX; i++) {
		if (!(made >> i & 1))
			continue;
		/* Whole names or none. */
		if (strlen(ids) + 1 + sizeof(id) > SETTING_IDS_MAX)
			return;
		write_id(id, atomic_load(&settings[i].place));
		if (ids[0])
			text_append(ids, SETTING_IDS_MAX, " ");
		text_append(ids, SETTING_IDS_MAX, id);
	}
}

/*
 * The slot of this place, UNKNOWN if there is no room; `*is_new` for one caller only.
 * Slots are taken in order and never given back, so that two threads at the same place
 * meet at the same slot.
 */
static int claim(uint64_t place, bool *is_new)
{
	for (int i = 0; i < SETTINGS_MAX; i++) {
		uint64_t found = 0;

		*is_new = atomic_compare_exchange_strong(&settings[i].place, &found, place);
		if (*is_new || found == place)
			return i;
	}
	*is_new = false;
	return UNKNOWN;
}

/* The library that called, and under it the script's frames. */
static void join_frames(struct origin *origin, const struct origin *native,
			const struct origin *script)
{
	for (unsigned i = 0; i < native->count; i++)
		origin_add(origin, native->frame[i].file, strlen(native->frame[i].file),
			   native->frame[i].function, strlen(native->frame[i].function), 0, true);
	for (unsigned i = 0; i < script->count; i++) {
		const struct origin_frame *frame = &script->frame[i];

		origin_add(origin, frame->file, strlen(frame->file), frame->function,
			   strlen(frame->function), frame->line,
			   !(script->own_found && i == script->own));
	}
	/* Without a frame of its own, the innermost frame of the script, not the library. */
	if (!origin->own_found && origin->count > native->count)
		origin->own = native->count;
}

/*
 * The place of a call: the library that made it, and under it the script's
 * frames, of which one may be the application's own. Where there is a script,
 * the native code that it called is not, not even the interpreter itself.
 */
static struct origin *find_origin(const void *caller)
{
	struct origin *native = origin_pool_claim();
	struct origin *script = origin_pool_claim();
	struct origin *both = NULL;

	if (native)
		origin_native(native, caller);
	if (native && script && origin_of_script(script))
		both = origin_pool_claim();
	if (both)
		join_frames(both, native, script);
	origin_pool_free(script);
	if (!both)
		return native;
	origin_pool_free(native);
	return both;
}

static struct origin *find_native(const void *caller)
{
	struct origin *native = origin_pool_claim();

	if (native)
		origin_native(native, caller);
	return native;
}

/* Keeps the setting, if it is new, and returns its slot. Takes the origin over. */
static int keep(const struct setting_words *words, struct origin *origin)
{
	bool is_new;
	int slot = claim(hash_of(words, origin), &is_new);
	struct setting *setting;

	if (!is_new) {
		origin_pool_free(origin);
		return slot;
	}
	setting = &settings[slot];
	setting->words = *words;
	recorder_now(&setting->made);
	setting->origin = origin;
	atomic_store_explicit(&setting->state, READY, memory_order_release);
	atomic_fetch_add(&ready, 1);
	return slot;
}

void setting_made(const struct setting_words *words, const void *caller, const void *owner)
{
	const int saved = errno;

	if (recorder.on)
		own(owner, keep(words, find_origin(caller)));
	errno = saved;
}

void setting_made_unplaced(const struct setting_words *words, const void *caller, const void *owner)
{
	const int saved = errno;

	if (recorder.on)
		own(owner, keep(words, find_native(caller)));
	errno = saved;
}

void setting_tell_all(void)
{
	for (int i = 0; i < SETTINGS_MAX && atomic_load(&ready) > 0; i++) {
		struct setting *setting = &settings[i];
		const struct origin *origin;
		struct record record = {0};
		char id[17];
		int expected = READY;

		if (!atomic_compare_exchange_strong(&setting->state, &expected, TOLD))
			continue;
		atomic_fetch_sub(&ready, 1);
		record.action = RECORD_ACTION_SETTING;
		record.outcome = RECORD_OUTCOME_SUCCESS;
		record.timestamp = setting->made;
		record.setting = setting->words.text;
		write_id(id, atomic_load(&setting->place));
		record.setting_ids = id;
		origin = setting->origin;
		if (origin && origin->count > 0) {
			const struct origin_frame *frame = &origin->frame[origin->own];

			record.code_file = frame->file[0] ? frame->file : NULL;
			record.code_function = frame->function[0] ? frame->function : NULL;
			record.code_line = frame->line;
			record.stack = origin;
		}
		recorder_emit(&record);
		origin_pool_free(setting->origin);
		setting->origin = NULL;
	}
}
