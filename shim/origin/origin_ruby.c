/*
 * The frames of Ruby, 2.7 and later, by the interface that it has for sampling
 * profilers. That reads the frames without allocating: no collection starts in
 * the middle of the extension that called the TLS library.
 */
#include "shim/origin/origin.h"

#include <string.h>

#include "shim/origin/origin_lookup.h"

/* Deeper than any framework goes between its caller and the connection. */
#define FRAMES_WALKED_MAX 100

/* VALUE: an object's address, or a constant, which is smaller or not aligned. */
typedef uintptr_t ruby_value;

struct walk;

/* In the order of the names below. */
struct ruby {
	int (*profile_frames)(int start, int limit, ruby_value *frames, int *lines);
	ruby_value (*frame_path)(ruby_value frame);
	ruby_value (*frame_absolute_path)(ruby_value frame);
	ruby_value (*frame_label)(ruby_value frame);
	ruby_value (*frame_method)(ruby_value frame);
	ruby_value (*frame_first_line)(ruby_value frame);
	char *(*string_as_c)(volatile ruby_value *string);
	/* The argument is a VALUE by its declaration, and anything as wide in practice. */
	ruby_value (*protect)(ruby_value (*function)(struct walk *), struct walk *argument,
			      int *state);
	ruby_value (*error_info)(void);
	void (*set_error_info)(ruby_value error);
	int (*is_ruby_thread)(void);
	int (*has_lock)(void);
	int (*is_collecting)(void);
};

static const char *const names[] = {
	"rb_profile_frames",
	"rb_profile_frame_path",
	"rb_profile_frame_absolute_path",
	"rb_profile_frame_label",
	"rb_profile_frame_method_name",
	"rb_profile_frame_first_lineno",
	"rb_string_value_cstr",
	"rb_protect",
	"rb_errinfo",
	"rb_set_errinfo",
	"ruby_native_thread_p",
	"ruby_thread_has_gvl_p",
	"rb_during_gc",
	NULL,
};

#define SYMBOLS (sizeof(names) / sizeof(names[0]) - 1)

_Static_assert(SYMBOLS <= ORIGIN_SYMBOLS_MAX && sizeof(struct ruby) == SYMBOLS * sizeof(void *),
	       "every member of struct ruby has its name");

static struct origin_symbols symbols = {.names = names};

/* Qnil is 8 up to 3.1 and 4 since; small integers and symbols are not aligned. */
static bool is_object(ruby_value value)
{
	return value > 4096 && value % sizeof(ruby_value) == 0;
}

/* "" for nil. Raises an exception for a string that holds a NUL. */
static const char *text_of(const struct ruby *ruby, volatile ruby_value value)
{
	return is_object(value) ? ruby->string_as_c(&value) : "";
}

/* A path as short as the script was called by says less than where that is. */
static const char *file_of(const struct ruby *ruby, ruby_value frame)
{
	const char *file = text_of(ruby, ruby->frame_absolute_path(frame));

	return file[0] ? file : text_of(ruby, ruby->frame_path(frame));
}

/* Small integers have a one for their lowest bit; nil, even, is no line. */
static int first_line_of(const struct ruby *ruby, ruby_value frame)
{
	ruby_value line = ruby->frame_first_line(frame);

	return line & 1 ? (int)(line >> 1) : 0;
}

/*
 * The frame of evaluated code is described as the method's in which it was
 * evaluated, but has a line of its own, which is none of that file. It can be
 * told by who called it, or by its line where instance_eval and the like did.
 */
static bool is_evaluated(const struct ruby *ruby, ruby_value frame, int line,
			 const ruby_value *caller)
{
	return line < first_line_of(ruby, frame) ||
	       (caller && strcmp(text_of(ruby, ruby->frame_method(*caller)), "eval") == 0);
}

struct walk {
	const struct ruby *ruby;
	struct origin *origin;
};

static ruby_value walk(struct walk *walk)
{
	const struct ruby *ruby = walk->ruby;
	ruby_value frames[FRAMES_WALKED_MAX];
	int lines[FRAMES_WALKED_MAX];
	int count = ruby->profile_frames(0, FRAMES_WALKED_MAX, frames, lines);

	for (int i = 0; i < count && !origin_is_complete(walk->origin); i++) {
		const char *file;
		const char *function;

		/* Methods written in C have no line; who called them follows. */
		if (lines[i] <= 0)
			continue;
		/* The caller that is written in C has no line. */
		if (is_evaluated(ruby, frames[i], lines[i],
				 i + 1 < count && lines[i + 1] <= 0 ? &frames[i + 1] : NULL))
			file = "(eval)";
		else
			file = file_of(ruby, frames[i]);
		function = text_of(ruby, ruby->frame_label(frames[i]));
		origin_add(walk->origin, file, strlen(file), function, strlen(function),
			   (uint32_t)lines[i], origin_is_installed(file, strlen(file)));
	}
	return 0;
}

bool origin_ruby(struct origin *origin)
{
	void *address[ORIGIN_SYMBOLS_MAX];
	ruby_value error;
	struct ruby ruby;
	struct walk argument = {&ruby, origin};
	int raised = 0;

	origin_init(origin);
	if (!origin_symbols_find(&symbols, address))
		return false;
	memcpy(&ruby, address, sizeof(ruby));
	if (!ruby.is_ruby_thread() || !ruby.has_lock() || ruby.is_collecting())
		return false;
	error = ruby.error_info();
	ruby.protect(walk, &argument, &raised);
	if (raised)
		ruby.set_error_info(error);
	return origin->count > 0;
}
