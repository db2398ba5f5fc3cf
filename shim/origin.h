/*
 * Who asked: the process, and the place in the code.
 *
 * origin.c knows the process (executable, script, parent, user); one
 * origin_*.c per interpreter knows how to read that interpreter's frames.
 * They find everything with dlsym(RTLD_DEFAULT): no interpreter header or
 * library is needed, and an interpreter that is not there costs one look-up.
 */
#ifndef TLSWITNESS_ORIGIN_H
#define TLSWITNESS_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORIGIN_FRAMES_MAX 24
#define ORIGIN_TEXT_MAX   2048

struct origin_frame {
	const char *file;     /* in origin.text; "" if not known */
	const char *function; /* in origin.text; "" if not known */
	uint32_t line;        /* 1-based; 0 if not known */
};

/* A stack of frames, innermost first. Caller-allocated; all strings live in `text`. */
struct origin {
	uint8_t count;
	uint8_t own; /* index of the innermost frame of the application's own code, outside the
	                interpreter's standard library and installed packages; else 0 */
	bool own_found;
	uint16_t text_used;
	struct origin_frame frame[ORIGIN_FRAMES_MAX];
	char text[ORIGIN_TEXT_MAX];
};

void origin_init(struct origin *origin);

/*
 * Appends a frame. Strings need no terminator and may hold any bytes; they are
 * cut to what fits. Frames beyond the room are dropped, but the application's
 * own first frame is always kept (it replaces the last one).
 */
void origin_add(struct origin *origin, const char *file, size_t file_length, const char *function,
		size_t function_length, uint32_t line, bool installed);

/*
 * Fills `origin` with the script frames of the calling thread, from whichever
 * interpreter is in this process and can be asked safely now. False, with
 * `origin` empty, where there is none. Never waits, never allocates on its own
 * account; leaves errno and the interpreter's error state as they were.
 */
bool origin_of_script(struct origin *origin);

/* One per interpreter, with the contract of origin_of_script. */
bool origin_python(struct origin *origin);
bool origin_php(struct origin *origin);
bool origin_ruby(struct origin *origin);
bool origin_perl(struct origin *origin);

/*
 * The object, and where it has symbols the function, that holds `address`: for
 * native programs and for "the library that called". Pure look-ups in the
 * loader's tables; strings are copied into `origin` as one frame.
 */
bool origin_native(struct origin *origin, const void *address);

#endif
