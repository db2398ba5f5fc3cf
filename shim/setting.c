#include "setting.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "origin.h"
#include "recorder.h"
#include "text.h"
#include "tls_names.h"

#define SETTINGS_MAX 48

enum setting_state { FREE, BEING_FILLED, READY, TOLD };

struct setting {
	_Atomic int state;
	uint64_t place; /* hash of words and place; 0: none */
	struct timespec made;
	struct setting_words words;
	struct origin origin;
};

static struct setting settings[SETTINGS_MAX];

/* How many are READY; spares the look at each of them. */
static atomic_int ready;

void setting_say(struct setting_words *words, const char *text)
{
	text_append(words->text, SETTING_WORDS_MAX, text);
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

	for (unsigned i = 0; i < origin->count; i++) {
		const struct origin_frame *frame = &origin->frame[i];

		hash = hash_text(hash, frame->file);
		hash = (hash ^ frame->line) * UINT64_C(0x100000001b3);
		if (i == origin->own)
			break;
	}
	return hash ? hash : 1;
}

static bool is_known(uint64_t place)
{
	for (int i = 0; i < SETTINGS_MAX; i++) {
		if (atomic_load_explicit(&settings[i].state, memory_order_acquire) >= READY &&
		    settings[i].place == place)
			return true;
	}
	return false;
}

/*
 * The library that called, and under it the script's frames, of which one may
 * be the application's own. Where there is a script, the native code that it
 * called is not, not even the interpreter itself.
 */
static void find_origin(struct origin *origin, const void *caller)
{
	struct origin script;
	struct origin native;

	origin_native(&native, caller);
	if (!origin_of_script(&script)) {
		origin_copy(origin, &native);
		return;
	}
	origin_init(origin);
	for (unsigned i = 0; i < native.count; i++)
		origin_add(origin, native.frame[i].file, strlen(native.frame[i].file),
			   native.frame[i].function, strlen(native.frame[i].function), 0, true);
	for (unsigned i = 0; i < script.count; i++) {
		const struct origin_frame *frame = &script.frame[i];

		origin_add(origin, frame->file, strlen(frame->file), frame->function,
			   strlen(frame->function), frame->line,
			   !(script.own_found && i == script.own));
	}
	/* Without a frame of its own, the innermost frame of the script, not the library. */
	if (!origin->own_found && origin->count > native.count)
		origin->own = native.count;
}

void setting_made(const struct setting_words *words, const void *caller)
{
	const int saved = errno;
	struct origin origin;
	uint64_t place;

	if (!recorder.on)
		return;
	find_origin(&origin, caller);
	place = hash_of(words, &origin);
	for (int i = 0; i < SETTINGS_MAX && !is_known(place); i++) {
		struct setting *setting = &settings[i];
		int expected = FREE;

		if (!atomic_compare_exchange_strong(&setting->state, &expected, BEING_FILLED))
			continue;
		setting->place = place;
		setting->words = *words;
		clock_gettime(CLOCK_REALTIME, &setting->made);
		origin_copy(&setting->origin, &origin);
		atomic_store_explicit(&setting->state, READY, memory_order_release);
		atomic_fetch_add(&ready, 1);
		break;
	}
	errno = saved;
}

void setting_tell_all(void)
{
	for (int i = 0; i < SETTINGS_MAX && atomic_load(&ready) > 0; i++) {
		struct setting *setting = &settings[i];
		const struct origin_frame *frame = &setting->origin.frame[setting->origin.own];
		struct record record = {0};
		int expected = READY;

		if (!atomic_compare_exchange_strong(&setting->state, &expected, TOLD))
			continue;
		atomic_fetch_sub(&ready, 1);
		record.action = "protocol-setting";
		record.outcome = "success";
		record.timestamp = setting->made;
		record.setting = setting->words.text;
		if (setting->origin.count > 0) {
			record.code_file = frame->file[0] ? frame->file : NULL;
			record.code_function = frame->function[0] ? frame->function : NULL;
			record.code_line = frame->line;
			record.stack = &setting->origin;
		}
		recorder_emit(&record);
	}
}
