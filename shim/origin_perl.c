/*
 * The frames of Perl 5.18 and later, with threads and without.
 *
 * They are read by calling Perl's own `caller`, which can be called like any
 * sub (&CORE::caller) since 5.16. Nothing is compiled and no statement is run:
 * `$@`, `$_` and `$!`, the numbers of evals, the hooks for warnings and errors,
 * the debugger, strictures and taint checks never come in.
 */
#include "origin.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "origin_lookup.h"
#include "sys.h"

/* Each costs a call into Perl. */
#define FRAMES_WALKED_MAX 60

/* What `caller` returns, in its order; the same since 5.10. */
enum {
	CALLER_FILE = 1,
	CALLER_LINE = 2,
	CALLER_SUBROUTINE = 3,
	CALLER_EVAL_TEXT = 6,
	CALLER_IS_REQUIRE = 7,
	CALLER_ITEMS = 11,
};

/* The same since 5.14. */
enum {
	LIST_CONTEXT = 3,    /* G_LIST, once G_ARRAY */
	CATCH_ERRORS = 0x8,  /* G_EVAL */
	KEEP_ERROR = 0x20,   /* G_KEEPERR: $@ stays as it is */
	NOT_DEBUGGED = 0x40, /* G_NODEBUG */
	READ_MAGIC = 2,      /* SV_GMAGIC */
};

struct perl_scalar; /* SV */

/*
 * How struct interpreter begins: the same since 5.10. A Perl without threads
 * has no such struct; the members are variables of their own.
 */
struct perl_interpreter {
	struct perl_scalar **stack_pointer; /* the topmost scalar */
	void *op;
	void *pad;
	struct perl_scalar **stack_base;
	struct perl_scalar **stack_end;
};

typedef int32_t call_threaded(struct perl_interpreter *, const char *name, int32_t flags,
			      char **arguments);
typedef int32_t call_plain(const char *name, int32_t flags, char **arguments);
typedef char *text_threaded(struct perl_interpreter *, struct perl_scalar *, size_t *length,
			    uint32_t flags);
typedef char *text_plain(struct perl_scalar *, size_t *length, uint32_t flags);

/* In the order of the names below. */
struct perl {
	union {
		call_threaded *threaded;
		call_plain *plain;
	} call;
	union {
		text_threaded *threaded;
		text_plain *plain;
	} text;
	struct perl_interpreter *(*get_context)(void);
	struct perl_interpreter **any_interpreter;
	struct perl_scalar ***stack_pointer; /* these two without threads only */
	struct perl_scalar ***stack_base;
};

static const char *const names[] = {
	"Perl_call_argv",
	"Perl_sv_2pv_flags",
	"Perl_get_context",
	"=PL_curinterp",
	"=PL_stack_sp",
	"=PL_stack_base",
	NULL,
};

#define SYMBOLS (sizeof(names) / sizeof(names[0]) - 1)

_Static_assert(SYMBOLS <= ORIGIN_SYMBOLS_MAX && sizeof(struct perl) == SYMBOLS * sizeof(void *),
	       "every member of struct perl has its name");

static struct origin_symbols symbols = {.names = names};

/* A Perl that may be called from this thread. */
struct call {
	struct perl perl;
	struct perl_interpreter *interpreter; /* NULL without threads */
	struct perl_scalar ***stack_pointer;
};

static bool find_plain(struct call *call)
{
	if (!call->perl.stack_base || !*call->perl.stack_base)
		return false;
	call->interpreter = NULL;
	call->stack_pointer = call->perl.stack_pointer;
	/* Nothing says which thread it runs on; the main one is taken. */
	return syscall(SYS_gettid) == sys_getpid();
}

static bool find_threaded(struct call *call)
{
	struct perl_interpreter *interpreter;

	/* Until the first one is made, the key that the context is kept under is not ours. */
	if (!call->perl.any_interpreter || !*call->perl.any_interpreter)
		return false;
	interpreter = call->perl.get_context();
	/* Where the stack is not, this is no interpreter as we know them. */
	if (!interpreter || !interpreter->stack_base ||
	    interpreter->stack_pointer < interpreter->stack_base ||
	    interpreter->stack_pointer > interpreter->stack_end)
		return false;
	call->interpreter = interpreter;
	call->stack_pointer = &interpreter->stack_pointer;
	return true;
}

struct text {
	const char *bytes;
	size_t length;
};

static struct text text_of(const struct call *call, struct perl_scalar *scalar)
{
	struct text text = {"", 0};
	const char *bytes;

	if (call->interpreter)
		bytes = call->perl.text.threaded(call->interpreter, scalar, &text.length,
						 READ_MAGIC);
	else
		bytes = call->perl.text.plain(scalar, &text.length, READ_MAGIC);
	if (bytes)
		text.bytes = bytes;
	else
		text.length = 0;
	return text;
}

static bool is(struct text text, const char *literal)
{
	return text.length == strlen(literal) && memcmp(text.bytes, literal, text.length) == 0;
}

/* A line from which something was called, and what. Its texts live until the statement ends. */
struct frame {
	struct text file;
	struct text subroutine;
	uint32_t line;
	bool is_block; /* eval {}: no function of its own */
};

static void read_frame(const struct call *call, struct perl_scalar **items, struct frame *frame)
{
	const struct text line = text_of(call, items[CALLER_LINE]);

	frame->file = text_of(call, items[CALLER_FILE]);
	frame->subroutine = text_of(call, items[CALLER_SUBROUTINE]);
	frame->line = 0;
	for (size_t i = 0; i < line.length && line.bytes[i] >= '0' && line.bytes[i] <= '9'; i++)
		frame->line = frame->line * 10 + (uint32_t)(line.bytes[i] - '0');
	frame->is_block = false;
	if (!is(frame->subroutine, "(eval)"))
		return;
	/* Of a block there is neither text nor file: the one undef stands for both. */
	if (items[CALLER_EVAL_TEXT] == items[CALLER_IS_REQUIRE])
		frame->is_block = true;
	else if (is(text_of(call, items[CALLER_IS_REQUIRE]), "1"))
		frame->subroutine = (struct text){"require", strlen("require")};
}

/*
 * Level -1 is the call of `caller` itself, made by the statement that runs now.
 * An error can only be that of a signal's handler, which runs at the end of the
 * call if the signal came just before: signals of later are blocked by then.
 */
static bool call_caller(const struct call *call, int level, struct frame *frame)
{
	const int32_t flags = LIST_CONTEXT | CATCH_ERRORS | KEEP_ERROR | NOT_DEBUGGED;
	char number[16];
	char *arguments[] = {number, NULL};
	int32_t count;
	bool found;

	(void)snprintf(number, sizeof(number), "%d", level);
	if (call->interpreter)
		count = call->perl.call.threaded(call->interpreter, "CORE::caller", flags,
						 arguments);
	else
		count = call->perl.call.plain("CORE::caller", flags, arguments);
	found = count >= CALLER_ITEMS;
	if (found)
		read_frame(call, *call->stack_pointer - count + 1, frame);
	*call->stack_pointer -= count;
	return found;
}

static void add_frame(struct origin *origin, const struct frame *frame, struct text function)
{
	origin_add(origin, frame->file.bytes, frame->file.length, function.bytes, function.length,
		   frame->line, origin_is_installed(frame->file.bytes, frame->file.length));
}

/* A line lies in the function that the next frame calls, past the eval blocks between. */
static void walk(const struct call *call, struct origin *origin)
{
	struct frame frame;
	struct frame outer;
	int level = -1;

	if (!call_caller(call, level, &frame))
		return;
	while (++level < FRAMES_WALKED_MAX && call_caller(call, level, &outer)) {
		if (outer.is_block)
			continue;
		add_frame(origin, &frame, outer.subroutine);
		if (origin_is_complete(origin))
			return;
		frame = outer;
	}
	/* Perl has no name for what lies outside of all subs. */
	add_frame(origin, &frame, (struct text){"", 0});
}

bool origin_perl(struct origin *origin)
{
	void *address[ORIGIN_SYMBOLS_MAX];
	sigset_t previous;
	sigset_t all;
	struct call call = {.interpreter = NULL};

	origin_init(origin);
	if (!origin_symbols_find(&symbols, address))
		return false;
	memcpy(&call.perl, address, sizeof(call.perl));
	if (!(call.perl.stack_pointer ? find_plain(&call) : find_threaded(&call)))
		return false;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &previous);
	walk(&call, origin);
	pthread_sigmask(SIG_SETMASK, &previous, NULL);
	return origin->count > 0;
}
