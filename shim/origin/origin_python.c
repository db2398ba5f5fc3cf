/*
 * The frames of CPython 3.8 to 3.13, free-threaded builds too.
 *
 * Everything is asked while this thread holds the interpreter's lock anyhow,
 * and nothing asked for runs code of the script: attributes are plain members,
 * and the collector is held off where an allocation could start it. An
 * exception that is pending stays so.
 */
#include "shim/origin/origin.h"

#include <errno.h>
#include <string.h>

#include "shim/origin/origin_lookup.h"

/* Deeper than any framework goes between its caller and the connection. */
#define FRAMES_WALKED_MAX 200

/* PyObject and PyThreadState; nothing is known here of what they hold. */
struct python_object;
struct python_thread;

/* In the order of the names below. */
struct python {
	struct python_object *(*eval_get_frame)(void); /* borrowed */
	int (*is_initialized)(void);
	struct python_thread *(*this_thread_state)(void);
	int (*get_line_number)(struct python_object *frame);
	struct python_object *(*get_attribute)(struct python_object *object, const char *name);
	int (*is_true)(struct python_object *object);
	const char *(*as_utf8)(struct python_object *text, ptrdiff_t *length);
	struct python_object *(*as_encoded)(struct python_object *text, const char *encoding,
					    const char *errors);
	int (*bytes_as_string)(struct python_object *bytes, char **buffer, ptrdiff_t *length);
	void (*increment)(struct python_object *object);
	void (*decrement)(struct python_object *object); /* NULL is allowed */
	void (*error_clear)(void);
	void (*error_fetch)(struct python_object **type, struct python_object **value,
			    struct python_object **traceback);
	void (*error_restore)(struct python_object *type, struct python_object *value,
			      struct python_object *traceback);
	struct python_object *(*system_object)(const char *name); /* borrowed */

	int (*is_finalizing)(void);                                     /* 3.13 */
	int (*is_finalizing_private)(void);                             /* 3.8 to 3.12 */
	struct python_thread *(*current_thread)(void);                  /* 3.13 */
	struct python_thread *(*current_thread_private)(void);          /* 3.8 to 3.12 */
	struct python_object *(*get_back)(struct python_object *frame); /* 3.9 */
	struct python_object *(*get_code)(struct python_object *frame); /* 3.9 */
	int (*collector_disable)(void);                                 /* 3.10 */
	int (*collector_enable)(void);                                  /* 3.10 */
	int (*get_instruction)(struct python_object *frame);            /* 3.11 */
	struct python_object *(*get_raised)(void);                      /* 3.12 */
	void (*set_raised)(struct python_object *exception);            /* 3.12 */
};

static const char *const names[] = {
	"PyEval_GetFrame",
	"Py_IsInitialized",
	"PyGILState_GetThisThreadState",
	"PyFrame_GetLineNumber",
	"PyObject_GetAttrString",
	"PyObject_IsTrue",
	"PyUnicode_AsUTF8AndSize",
	"PyUnicode_AsEncodedString",
	"PyBytes_AsStringAndSize",
	"Py_IncRef",
	"Py_DecRef",
	"PyErr_Clear",
	"PyErr_Fetch",
	"PyErr_Restore",
	"PySys_GetObject",
	"?Py_IsFinalizing",
	"?_Py_IsFinalizing",
	"?PyThreadState_GetUnchecked",
	"?_PyThreadState_UncheckedGet",
	"?PyFrame_GetBack",
	"?PyFrame_GetCode",
	"?PyGC_Disable",
	"?PyGC_Enable",
	"?PyFrame_GetLasti",
	"?PyErr_GetRaisedException",
	"?PyErr_SetRaisedException",
	NULL,
};

#define SYMBOLS (sizeof(names) / sizeof(names[0]) - 1)

_Static_assert(SYMBOLS <= ORIGIN_SYMBOLS_MAX && sizeof(struct python) == SYMBOLS * sizeof(void *),
	       "every member of struct python has its name");

static struct origin_symbols symbols = {.names = names};

static bool is_finalizing(const struct python *python)
{
	if (python->is_finalizing)
		return python->is_finalizing() != 0;
	return python->is_finalizing_private && python->is_finalizing_private() != 0;
}

/*
 * Does this thread hold the interpreter's lock? PyGILState_Check() won't do: it
 * always says yes once there are subinterpreters.
 *
 * Since 3.12 the current thread state is the thread's own and is set only while
 * it holds the lock. Before that there is one for the whole process, and it
 * must be the one that was made for this thread. In a subinterpreter that is
 * not so where the thread was in another interpreter first: no frames then.
 */
static bool holds_lock(const struct python *python)
{
	const struct python_thread *current = NULL;

	if (!python->is_initialized() || is_finalizing(python))
		return false;
	if (python->current_thread)
		current = python->current_thread();
	else if (python->current_thread_private)
		current = python->current_thread_private();
	if (!current)
		return false;
	return python->get_raised || python->this_thread_state() == current;
}

/* What is set aside while the frames are read. */
struct python_state {
	struct python_object *type; /* before 3.12 */
	struct python_object *value;
	struct python_object *traceback;
	struct python_object *raised; /* since 3.12 */
	bool collected;
};

static void set_aside(const struct python *python, struct python_state *state)
{
	memset(state, 0, sizeof(*state));
	/* In 3.11 a frame is given its object only now, which could start a collection. */
	if (python->collector_disable && python->collector_enable)
		state->collected = python->collector_disable() != 0;
	if (python->get_raised && python->set_raised)
		state->raised = python->get_raised();
	else
		python->error_fetch(&state->type, &state->value, &state->traceback);
}

static void put_back(const struct python *python, const struct python_state *state)
{
	if (python->get_raised && python->set_raised)
		python->set_raised(state->raised);
	else
		python->error_restore(state->type, state->value, state->traceback);
	if (state->collected)
		python->collector_enable();
}

/* Bytes of a str, and the object that they live in, to be released after use. */
struct text {
	const char *bytes;
	size_t length;
	struct python_object *owner;
	struct python_object *encoded; /* NULL where the str holds its UTF-8 itself */
};

/*
 * A file name that is not UTF-8 has its bytes as surrogates: they are turned
 * back. Other surrogates can be in a name only if a script made it up.
 */
static bool encode(const struct python *python, struct text *text)
{
	char *buffer;
	ptrdiff_t length;

	python->error_clear();
	text->encoded = python->as_encoded(text->owner, "utf-8", "surrogateescape");
	if (!text->encoded) {
		python->error_clear();
		text->encoded = python->as_encoded(text->owner, "utf-8", "backslashreplace");
	}
	if (!text->encoded || python->bytes_as_string(text->encoded, &buffer, &length) != 0) {
		python->error_clear();
		return false;
	}
	text->bytes = buffer;
	text->length = (size_t)length;
	return true;
}

/* Takes over the reference to `owner`. Leaves an empty text where it is no str. */
static void open_text(const struct python *python, struct text *text, struct python_object *owner)
{
	ptrdiff_t length = 0;

	text->owner = owner;
	text->encoded = NULL;
	text->bytes = owner ? python->as_utf8(owner, &length) : NULL;
	text->length = (size_t)length;
	if (text->bytes || (owner && encode(python, text)))
		return;
	python->error_clear();
	text->bytes = "";
	text->length = 0;
}

static void close_text(const struct python *python, const struct text *text)
{
	python->decrement(text->encoded);
	python->decrement(text->owner);
}

/* Where this interpreter's own library is: below sys.base_prefix. */
static void open_prefix(const struct python *python, struct text *prefix)
{
	struct python_object *object = python->system_object("base_prefix");

	if (object)
		python->increment(object);
	open_text(python, prefix, object);
	while (prefix->length > 0 && prefix->bytes[prefix->length - 1] == '/')
		prefix->length--;
}

/*
 * PREFIX/lib/python3.11/… is the standard library only below the prefix of the
 * interpreter that runs: an application may keep its code in a directory of
 * that name. Virtual environments have the base_prefix of their interpreter.
 */
static bool is_installed(const struct text *file, const struct text *prefix)
{
	if (prefix->owner == NULL || prefix->bytes[0] != '/')
		return origin_is_installed(file->bytes, file->length);
	if (file->length > 0 && file->bytes[0] == '<')
		return origin_is_installed(file->bytes, file->length);
	if (origin_is_package(file->bytes, file->length))
		return true;
	return file->length > prefix->length &&
	       memcmp(file->bytes, prefix->bytes, prefix->length) == 0 &&
	       file->bytes[prefix->length] == '/' &&
	       origin_is_installed(file->bytes + prefix->length, file->length - prefix->length);
}

static struct python_object *code_of(const struct python *python, struct python_object *frame)
{
	return python->get_code ? python->get_code(frame) : python->get_attribute(frame, "f_code");
}

static void add_frame(const struct python *python, struct origin *origin,
		      struct python_object *frame, const struct text *prefix)
{
	struct python_object *code = code_of(python, frame);
	const int line = python->get_line_number(frame);
	struct text function;
	struct text file;

	if (!code) {
		python->error_clear();
		return;
	}
	open_text(python, &file, python->get_attribute(code, "co_filename"));
	/* "Mailer.send" where there is such a name: since 3.11. */
	open_text(python, &function,
		  python->get_attribute(code, python->get_instruction ? "co_qualname" : "co_name"));
	origin_add(origin, file.bytes, file.length, function.bytes, function.length,
		   line > 0 ? (uint32_t)line : 0, is_installed(&file, prefix));
	close_text(python, &function);
	close_text(python, &file);
	python->decrement(code);
}

/* A new reference to the frame that called `frame`, whose reference is given up. */
static struct python_object *step_back(const struct python *python, struct python_object *frame)
{
	struct python_object *back;

	if (python->get_back) {
		back = python->get_back(frame);
	} else {
		back = python->get_attribute(frame, "f_back");
		/* The outermost frame has None there; of the two, only a frame is true. */
		if (back && python->is_true(back) != 1) {
			python->decrement(back);
			back = NULL;
		}
	}
	python->decrement(frame);
	return back;
}

static void walk(const struct python *python, struct origin *origin)
{
	struct python_object *frame = python->eval_get_frame();
	struct text prefix;

	if (!frame)
		return;
	python->increment(frame);
	open_prefix(python, &prefix);
	for (int i = 0; frame && i < FRAMES_WALKED_MAX && !origin_is_complete(origin); i++) {
		add_frame(python, origin, frame, &prefix);
		frame = step_back(python, frame);
	}
	python->decrement(frame);
	close_text(python, &prefix);
}

bool origin_python(struct origin *origin)
{
	void *address[ORIGIN_SYMBOLS_MAX];
	struct python_state state;
	struct python python;

	origin_init(origin);
	if (!origin_symbols_find(&symbols, address))
		return false;
	memcpy(&python, address, sizeof(python));
	if (!holds_lock(&python))
		return false;
	set_aside(&python, &state);
	walk(&python, origin);
	put_back(&python, &state);
	return origin->count > 0;
}

bool origin_python_has_released(void)
{
	void *address[ORIGIN_SYMBOLS_MAX];
	const int saved_errno = errno;
	const bool loaded = origin_symbols_find(&symbols, address);
	struct python python;

	errno = saved_errno;
	if (!loaded)
		return false;
	memcpy(&python, address, sizeof(python));
	return python.is_initialized() && !is_finalizing(&python) && python.this_thread_state() &&
	       !holds_lock(&python);
}
