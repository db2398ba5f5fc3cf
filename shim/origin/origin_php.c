/*
 * The frames of PHP 7.4 to 8.x, thread-safe builds too.
 *
 * PHP builds the backtrace as an array of its own. It is built on a heap of its
 * own too: a script near its memory_limit must not fail for our sake, nor see
 * its memory_get_usage() change.
 */
#include "shim/origin/origin.h"

#include <stdatomic.h>
#include <string.h>

#include "shim/origin/origin_lookup.h"
#include "shim/base/sys.h"

/* Deeper than any framework goes between its caller and the connection. */
#define FRAMES_WALKED_MAX 100

#define HEAP_CHUNK ((size_t)2 << 20) /* ZEND_MM_CHUNK_SIZE */

enum {
	PHP_LONG = 4, /* IS_LONG, IS_STRING, IS_ARRAY: the same since 7.0 */
	PHP_STRING = 6,
	PHP_ARRAY = 7,
	BACKTRACE_IGNORE_ARGS = 2, /* DEBUG_BACKTRACE_IGNORE_ARGS */
};

/* ZEND_FASTCALL: on 32-bit x86 the functions of the hash take their arguments in registers. */
#ifdef __i386__
#define IN_REGISTERS __attribute__((fastcall))
#else
#define IN_REGISTERS
#endif

struct php_heap;  /* zend_mm_heap */
struct php_array; /* zend_array */

/* zend_string: the same since 7.0. */
struct php_string {
	uint32_t references;
	uint32_t type_info;
	unsigned long hash;
	size_t length;
	char bytes[];
};

/* zval: the same since 7.0. */
struct php_value {
	union {
		long number;
		const struct php_string *string;
		const struct php_array *array;
		double reserved; /* eight bytes everywhere */
	} as;
	uint8_t type;
	uint8_t type_flags;
	uint16_t extra;
	uint32_t next;
};

_Static_assert(sizeof(struct php_value) == 16, "a zval has 16 bytes");

/* In the order of the names below. */
struct php {
	void (*fetch_backtrace)(struct php_value *result, int skip_last, int options, int limit);
	struct php_value *(IN_REGISTERS *index_find)(const struct php_array *array,
						     unsigned long index);
	struct php_value *(IN_REGISTERS *string_find)(const struct php_array *array,
						      const char *key, size_t length);
	void (*release)(struct php_value *value);
	bool (*is_executing)(void);
	struct php_heap *(*heap_start)(void);
	struct php_heap *(*heap_set)(struct php_heap *heap); /* returns the one before */
	void (*heap_end)(struct php_heap *heap, bool full, bool silent);
	void *(*thread_storage)(void); /* thread-safe builds only */
};

static const char *const names[] = {
	"zend_fetch_debug_backtrace", "zend_hash_index_find",
	"zend_hash_str_find",         "zval_ptr_dtor",
	"zend_is_executing",          "zend_mm_startup",
	"zend_mm_set_heap",           "zend_mm_shutdown",
	"?tsrm_get_ls_cache",         NULL,
};

#define SYMBOLS (sizeof(names) / sizeof(names[0]) - 1)

_Static_assert(SYMBOLS <= ORIGIN_SYMBOLS_MAX && sizeof(struct php) == SYMBOLS * sizeof(void *),
	       "every member of struct php has its name");

static struct origin_symbols symbols = {.names = names};

/*
 * A thread-safe build has its state per thread, and none on a thread that is
 * not PHP's. Any other build runs on one thread, for which the main one is
 * taken; where an embedding program runs it on another, there are no frames.
 */
static bool is_php_thread(const struct php *php)
{
	if (php->thread_storage)
		return php->thread_storage() != NULL;
	return sys_gettid() == sys_getpid();
}

/* zend_mm_startup() would print that there is no memory: it is asked for first. */
static bool has_memory_for_heap(void)
{
	void *memory = sys_map(2 * HEAP_CHUNK);

	return memory && sys_munmap(memory, 2 * HEAP_CHUNK) == 0;
}

/*
 * One heap is kept for the process, to save making it each time; only a few of
 * its pages are ever used. A thread that finds it taken makes one for itself,
 * so that nobody waits.
 */
static _Atomic(struct php_heap *) spare_heap;

static struct php_heap *claim_heap(const struct php *php)
{
	struct php_heap *heap = atomic_exchange(&spare_heap, NULL);

	if (!heap && has_memory_for_heap())
		heap = php->heap_start();
	return heap;
}

static void give_heap_back(const struct php *php, struct php_heap *heap)
{
	struct php_heap *none = NULL;

	if (!atomic_compare_exchange_strong(&spare_heap, &none, heap))
		php->heap_end(heap, true, true);
}

struct text {
	const char *bytes;
	size_t length;
};

static struct text text_of(const struct php *php, const struct php_array *frame, const char *key)
{
	const struct php_value *value = php->string_find(frame, key, strlen(key));
	struct text text = {"", 0};

	if (value && value->type == PHP_STRING) {
		text.bytes = value->as.string->bytes;
		text.length = value->as.string->length;
	}
	return text;
}

static const struct php_array *frame_at(const struct php *php, const struct php_array *frames,
					unsigned long index)
{
	const struct php_value *value = php->index_find(frames, index);

	return value && value->type == PHP_ARRAY ? value->as.array : NULL;
}

static size_t append(char *buffer, size_t used, size_t room, struct text text)
{
	size_t length = text.length < room - used ? text.length : room - used;

	memcpy(buffer + used, text.bytes, length);
	return used + length;
}

static bool begins(struct text text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text.length >= length && memcmp(text.bytes, prefix, length) == 0;
}

/*
 * Libraries that are often copied into an application's own tree, known by
 * their namespaces wherever they lie.
 */
static bool is_mail_library(const struct php *php, const struct php_array *frame)
{
	static const char *const prefixes[] = {
		"PHPMailer",
		"Swift_",
		"Symfony\\Component\\Mailer\\",
		"Symfony\\Component\\Mime\\",
		"Zend_Mail",
		"Zend\\Mail\\",
		"Laminas\\Mail\\",
		"Nette\\Mail\\",
		"Net_SMTP",
	};
	struct text class;

	if (!frame)
		return false;
	class = text_of(php, frame, "class");
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (begins(class, prefixes[i]))
			return true;
	}
	return false;
}

/* An entry says from where what was called; within what, the next one says. */
static void add_frame(const struct php *php, struct origin *origin, const struct php_array *frame,
		      const struct php_array *caller)
{
	const struct php_value *line = php->string_find(frame, "line", strlen("line"));
	const struct text file = text_of(php, frame, "file");
	struct text function = {"{main}", strlen("{main}")};
	char name[256];

	/* Called by PHP itself, by array_map() for one: the caller's own entry follows. */
	if (file.length == 0 || !line || line->type != PHP_LONG)
		return;
	if (caller) {
		size_t used = append(name, 0, sizeof(name), text_of(php, caller, "class"));

		used = append(name, used, sizeof(name), text_of(php, caller, "type"));
		function.length =
			append(name, used, sizeof(name), text_of(php, caller, "function"));
		function.bytes = name;
	}
	origin_add(origin, file.bytes, file.length, function.bytes, function.length,
		   line->as.number > 0 ? (uint32_t)line->as.number : 0,
		   origin_is_installed(file.bytes, file.length) || is_mail_library(php, caller));
}

/* The entry at the limit serves to name the function that the one before lies in. */
static void walk(const struct php *php, struct origin *origin, const struct php_array *frames)
{
	const struct php_array *frame = frame_at(php, frames, 0);

	for (unsigned long i = 1; frame && i < FRAMES_WALKED_MAX; i++) {
		const struct php_array *caller = frame_at(php, frames, i);

		add_frame(php, origin, frame, caller);
		frame = caller;
	}
}

static void read_frames(const struct php *php, struct origin *origin)
{
	struct php_value frames = {.type = 0};

	php->fetch_backtrace(&frames, 0, BACKTRACE_IGNORE_ARGS, FRAMES_WALKED_MAX);
	if (frames.type == PHP_ARRAY)
		walk(php, origin, frames.as.array);
	php->release(&frames);
}

bool origin_php(struct origin *origin)
{
	void *address[ORIGIN_SYMBOLS_MAX];
	struct php_heap *script_heap;
	struct php_heap *heap;
	struct php php;

	origin_init(origin);
	if (!origin_symbols_find(&symbols, address))
		return false;
	memcpy(&php, address, sizeof(php));
	if (!is_php_thread(&php) || !php.is_executing())
		return false;
	heap = claim_heap(&php);
	if (!heap)
		return false;
	script_heap = php.heap_set(heap);
	read_frames(&php, origin);
	php.heap_set(script_heap);
	give_heap_back(&php, heap);
	return origin->count > 0;
}
