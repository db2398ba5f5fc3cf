/*
 * The frames of Perl 5.18 and later, with threads and without.
 *
 * Perl names the statement that runs now in its messages ("at FILE line N"), and
 * its `caller` names what called it. Both are done here by the functions behind
 * them, without running a statement: no signal handler, hook, debugger, taint
 * check or `$@` comes in, and nothing is compiled.
 */
#include "shim/origin/origin.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "shim/origin/origin_lookup.h"
#include "shim/base/sys.h"
#include "shim/base/text.h"

/* Deeper than any framework goes between its caller and the connection. */
#define FRAMES_WALKED_MAX 100

/* What `caller` returns, in its order; the same since 5.10. */
enum {
	CALLER_FILE = 1,
	CALLER_LINE = 2,
	CALLER_SUBROUTINE = 3,
	CALLER_EVAL_TEXT = 6,
	CALLER_IS_REQUIRE = 7,
	CALLER_ITEMS = 11,
};

/* More than `caller` returns, so that it never asks for more. */
#define STACK_ROOM 64

enum {
	TEMPORARY = 0x80000,  /* SVs_TEMP: freed when the statement ends */
	READ_MAGIC = 2,       /* SV_GMAGIC */
	WANT_LIST = 3,        /* OPf_WANT_LIST */
	HAS_ONE_ARGUMENT = 1, /* op_private counts them */
};

struct perl_scalar; /* SV */

/* OP, as far as every operation has it: the same since 5.10. */
struct perl_operation {
	struct perl_operation *next;
	struct perl_operation *sibling;
	void *function;
	size_t target; /* index into the pad: where a result is kept */
	uint16_t type;
	uint8_t flags;
	uint8_t private;
};

/*
 * How struct interpreter begins: the same since 5.10. A Perl without threads
 * has no such struct; the members are variables of their own.
 */
struct perl_interpreter {
	struct perl_scalar **stack_pointer; /* the topmost scalar */
	struct perl_operation *operation;
	struct perl_scalar **pad;
	struct perl_scalar **stack_base;
	struct perl_scalar **stack_end;
};

/* Where those members are, with threads and without. */
struct state {
	struct perl_scalar ***stack_pointer;
	struct perl_operation **operation;
	struct perl_scalar ***pad;
	struct perl_scalar ***stack_base;
	struct perl_scalar ***stack_end;
};

/* With threads every function is given the interpreter first. */
typedef struct perl_scalar *new_threaded(struct perl_interpreter *, const char *, size_t, uint32_t);
typedef struct perl_scalar *new_plain(const char *, size_t, uint32_t flags);
typedef char *text_threaded(struct perl_interpreter *, struct perl_scalar *, size_t *, uint32_t);
typedef char *text_plain(struct perl_scalar *, size_t *length, uint32_t flags);
typedef struct perl_scalar *message_threaded(struct perl_interpreter *, struct perl_scalar *, bool);
typedef struct perl_scalar *message_plain(struct perl_scalar *begin, bool append);
typedef struct perl_operation *caller_threaded(struct perl_interpreter *);
typedef struct perl_operation *caller_plain(void);
/* In the order of the names below. */
struct perl {
	union {
		message_threaded *threaded;
		message_plain *plain;
	} message;
	union {
		caller_threaded *threaded;
		caller_plain *plain;
	} caller;
	union {
		new_threaded *threaded;
		new_plain *plain;
	} new;
	union {
		text_threaded *threaded;
		text_plain *plain;
	} text;
	caller_plain **operations;    /* what runs each operation; with threads as `threaded` */
	const char **operation_names; /* in the same order */
	pthread_key_t *context_key;   /* with threads only: under it each has its interpreter */
	void *(*get_specific)(pthread_key_t key); /* pthread_getspecific */
	struct perl_interpreter **any_interpreter;
	struct state plain; /* without threads only */
};

/* From 5.40 on the function behind `caller` is not exported: the tables of operations have it. */
static const char *const names[] = {
	"Perl_mess_sv",
	"?Perl_pp_caller",
	"Perl_newSVpvn_flags",
	"Perl_sv_2pv_flags",
	"=PL_ppaddr",
	"=PL_op_name",
	"=PL_thr_key",
	"+pthread_getspecific",
	"=PL_curinterp",
	"=PL_stack_sp",
	"=PL_op",
	"=PL_curpad",
	"=PL_stack_base",
	"=PL_stack_max",
	NULL,
};

#define SYMBOLS (sizeof(names) / sizeof(names[0]) - 1)

_Static_assert(SYMBOLS <= ORIGIN_SYMBOLS_MAX && sizeof(struct perl) == SYMBOLS * sizeof(void *),
	       "every member of struct perl has its name");

static struct origin_symbols symbols = {.names = names};

/* A Perl that may be asked from this thread. */
struct asked {
	struct perl perl;
	struct perl_interpreter *interpreter; /* NULL without threads */
	struct state state;
};

static bool find_plain(struct asked *asked)
{
	const struct state *state = &asked->perl.plain;

	if (!state->operation || !state->pad || !state->stack_base || !state->stack_end ||
	    !*state->stack_base)
		return false;
	asked->interpreter = NULL;
	asked->state = *state;
	/* Nothing says which thread it runs on; the main one is taken. */
	return sys_gettid() == sys_getpid();
}

static bool find_threaded(struct asked *asked)
{
	struct perl_interpreter *interpreter;

	/* Until the first one is made, the key that the context is kept under is not ours. */
	if (!asked->perl.any_interpreter || !*asked->perl.any_interpreter ||
	    !asked->perl.context_key || !asked->perl.get_specific)
		return false;
	interpreter = asked->perl.get_specific(*asked->perl.context_key);
	/* Where the stack is not, this is no interpreter as we know them. */
	if (!interpreter || !interpreter->stack_base ||
	    interpreter->stack_pointer < interpreter->stack_base ||
	    interpreter->stack_pointer > interpreter->stack_end)
		return false;
	asked->interpreter = interpreter;
	asked->state = (struct state){
		.stack_pointer = &interpreter->stack_pointer,
		.operation = &interpreter->operation,
		.pad = &interpreter->pad,
		.stack_base = &interpreter->stack_base,
		.stack_end = &interpreter->stack_end,
	};
	return true;
}

/* The function of `caller`, where it is exported by name or stands in Perl's tables. */
static bool find_caller(struct perl *perl)
{
	if (perl->caller.plain)
		return true;
	if (!perl->operations || !perl->operation_names)
		return false;
	for (unsigned i = 0; perl->operation_names[i]; i++) {
		if (strcmp(perl->operation_names[i], "caller") != 0)
			continue;
		perl->caller.plain = perl->operations[i];
		return perl->caller.plain != NULL;
	}
	return false;
}

static struct perl_scalar *new_scalar(const struct asked *asked, const char *bytes)
{
	const size_t length = strlen(bytes);

	if (asked->interpreter)
		return asked->perl.new.threaded(asked->interpreter, bytes, length, TEMPORARY);
	return asked->perl.new.plain(bytes, length, TEMPORARY);
}

static struct perl_scalar *message(const struct asked *asked)
{
	struct perl_scalar *empty = new_scalar(asked, "");

	if (asked->interpreter)
		return asked->perl.message.threaded(asked->interpreter, empty, true);
	return asked->perl.message.plain(empty, true);
}

/* Runs `caller` as the current operation, whose argument is on the stack. */
static void run_caller(const struct asked *asked)
{
	if (asked->interpreter)
		asked->perl.caller.threaded(asked->interpreter);
	else
		asked->perl.caller.plain();
}

struct text {
	const char *bytes;
	size_t length;
};

static struct text text_of(const struct asked *asked, struct perl_scalar *scalar)
{
	struct text text = {"", 0};
	const char *bytes;

	if (asked->interpreter)
		bytes = asked->perl.text.threaded(asked->interpreter, scalar, &text.length,
						  READ_MAGIC);
	else
		bytes = asked->perl.text.plain(scalar, &text.length, READ_MAGIC);
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

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t number_of(struct text text)
{
	uint32_t number = 0;

	for (size_t i = 0; i < text.length && is_digit(text.bytes[i]); i++)
		number = number * 10 + (uint32_t)(text.bytes[i] - '0');
	return number;
}

/* Takes `suffix` off the end of `text`, if it is there. */
static bool strip(struct text *text, const char *suffix)
{
	size_t length = strlen(suffix);

	if (text->length < length ||
	    memcmp(text->bytes + text->length - length, suffix, length) != 0)
		return false;
	text->length -= length;
	return true;
}

/* Takes `word` and a number off the end of `text`, if they are there. */
static bool strip_number(struct text *text, const char *word, uint32_t *number)
{
	struct text rest = *text;

	while (rest.length > 0 && is_digit(rest.bytes[rest.length - 1]))
		rest.length--;
	*number = number_of((struct text){rest.bytes + rest.length, text->length - rest.length});
	if (rest.length == text->length || !strip(&rest, word))
		return false;
	*text = rest;
	return true;
}

/* ", <STDIN> line 5": what was read last. Off the end of `text`, if it is there. */
static void strip_input(struct text *text)
{
	struct text rest = *text;
	uint32_t number;

	if (!strip_number(&rest, "> line ", &number) && !strip_number(&rest, "> chunk ", &number))
		return;
	while (rest.length > 0 && rest.bytes[rest.length - 1] != '<')
		rest.length--;
	if (strip(&rest, ", <"))
		*text = rest;
}

/* The statement that runs now, by Perl's message: " at FILE line N[, <FH> line M].\n" */
static bool read_statement(const struct asked *asked, struct frame *frame)
{
	static const char at[] = " at ";
	struct text text = text_of(asked, message(asked));

	strip(&text, ".\n");
	strip(&text, " during global destruction");
	strip_input(&text);
	if (!strip_number(&text, " line ", &frame->line) || text.length < strlen(at))
		return false;
	frame->file.bytes = text.bytes + strlen(at);
	frame->file.length = text.length - strlen(at);
	frame->is_block = false;
	return true;
}

static void read_frame(const struct asked *asked, struct perl_scalar **items, struct frame *frame)
{
	frame->file = text_of(asked, items[CALLER_FILE]);
	frame->line = number_of(text_of(asked, items[CALLER_LINE]));
	frame->subroutine = text_of(asked, items[CALLER_SUBROUTINE]);
	frame->is_block = false;
	if (!is(frame->subroutine, "(eval)"))
		return;
	/* Of a block there is neither text nor file: the one undef stands for both. */
	if (items[CALLER_EVAL_TEXT] == items[CALLER_IS_REQUIRE])
		frame->is_block = true;
	else if (is(text_of(asked, items[CALLER_IS_REQUIRE]), "1"))
		frame->subroutine = (struct text){"require", strlen("require")};
}

/* Puts `values` in the place of what Perl works with, and returns that. */
static struct perl_interpreter exchange(const struct state *state, struct perl_interpreter values)
{
	struct perl_interpreter previous = {*state->stack_pointer, *state->operation, *state->pad,
					    *state->stack_base, *state->stack_end};

	*state->stack_pointer = values.stack_pointer;
	*state->operation = values.operation;
	*state->pad = values.pad;
	*state->stack_base = values.stack_base;
	*state->stack_end = values.stack_end;
	return previous;
}

/*
 * caller(LEVEL), as an operation of our own, with a pad and a stack of our own:
 * the operation that runs now keeps pointers into Perl's, which must not move.
 * Perl's are put back before anything else runs.
 */
static bool call_caller(const struct asked *asked, int level, struct frame *frame)
{
	struct perl_operation operation = {
		.target = 1, .flags = WANT_LIST, .private = HAS_ONE_ARGUMENT};
	struct perl_scalar *pad[] = {NULL, new_scalar(asked, "")};
	struct perl_scalar *stack[1 + STACK_ROOM] = {NULL};
	struct perl_interpreter values;
	char number[16] = "";

	text_append_number(number, sizeof(number), (uint64_t)level);
	stack[1] = new_scalar(asked, number);
	values = exchange(&asked->state, (struct perl_interpreter){stack + 1, &operation, pad,
								   stack, stack + STACK_ROOM});
	run_caller(asked);
	values = exchange(&asked->state, values);
	if (values.stack_base != stack || values.stack_pointer - stack < CALLER_ITEMS)
		return false;
	read_frame(asked, stack + 1, frame);
	return true;
}

static void add_frame(struct origin *origin, const struct frame *frame, struct text function)
{
	origin_add(origin, frame->file.bytes, frame->file.length, function.bytes, function.length,
		   frame->line, origin_is_installed(frame->file.bytes, frame->file.length));
}

/* A line lies in the function that the next frame calls, past the eval blocks between. */
static void walk(const struct asked *asked, struct origin *origin)
{
	struct frame frame;
	struct frame outer;

	if (!read_statement(asked, &frame))
		return;
	for (int i = 0; i < FRAMES_WALKED_MAX && call_caller(asked, i, &outer); i++) {
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
	struct asked asked = {.interpreter = NULL};
	const struct sys_signals all = SYS_SIGNALS_ALL;
	struct sys_signals previous;

	origin_init(origin);
	if (!origin_symbols_find(&symbols, address))
		return false;
	memcpy(&asked.perl, address, sizeof(asked.perl));
	if (!find_caller(&asked.perl))
		return false;
	if (!(asked.perl.plain.stack_pointer ? find_plain(&asked) : find_threaded(&asked)))
		return false;
	/* With PERL_SIGNALS=unsafe a handler would run Perl code in the midst of this. */
	sys_set_signals(&all, &previous);
	walk(&asked, origin);
	sys_set_signals(&previous, NULL);
	return origin->count > 0;
}
