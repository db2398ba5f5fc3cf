/*
 * Who asked: the place in the code.
 *
 * One origin_*.c per interpreter knows how to read that interpreter's frames.
 * They find everything in the tables of the loaded objects: no interpreter
 * header or library is needed, and an interpreter that is not there costs one
 * look-up per object that the process loads later.
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
	const char *function; /* in origin.text, in the interpreter's own words; "" if not known */
	uint32_t line;        /* 1-based; 0 if not known */
};

/* A stack of frames, innermost first. Caller-allocated; all strings live in `text`. */
struct origin {
	uint8_t count;
	uint8_t own; /* index of the innermost frame of the application's own code, outside the
			interpreter's standard library and installed packages; else 0 */
	bool own_found;
	bool own_provisional; /* the own frame lies in no file: one that does is better */
	bool full;            /* frames were dropped: only the application's own may follow */
	uint16_t text_used;
	struct origin_frame frame[ORIGIN_FRAMES_MAX];
	char text[ORIGIN_TEXT_MAX];
};

/* Empties `origin`; an empty one is not read beyond its first members. */
void origin_init(struct origin *origin);

/* `to` becomes what `from` is, with its own copy of the strings. */
void origin_copy(struct origin *to, const struct origin *from);

/*
 * Is the code at `path` the interpreter's standard library or an installed
 * package, and not the application's own? By the path alone: where the
 * interpreters, the distributions and the package managers put things.
 */
bool origin_is_installed(const char *path, size_t length);

/* The same without the standard library: only what a package manager put there. */
bool origin_is_package(const char *path, size_t length);

/*
 * Appends a frame. Strings need no terminator and may hold any bytes; of a long
 * file name the end is kept, of a long function name the beginning. Frames
 * beyond the room are dropped, but the application's own first frame is always
 * kept (it replaces the last one).
 *
 * `installed` says whose code it is. Code that lies in no file ("<string>",
 * "(eval 3)") is taken for the application's own place only if no frame of its
 * own that lies in one follows.
 */
void origin_add(struct origin *origin, const char *file, size_t file_length, const char *function,
		size_t function_length, uint32_t line, bool installed);

/* True once the walker can stop: no further frame would be kept. */
bool origin_is_complete(const struct origin *origin);

/*
 * Fills `origin` with the script frames of the calling thread, from whichever
 * interpreter is in this process and can be asked safely now. False, with
 * `origin` empty, where there is none. Never waits, never allocates on its own
 * account; leaves errno and the interpreter's error state as they were.
 *
 * To be called from a hook that the interpreter calls while it holds its own
 * lock (SSL_set_fd, SSL_set_bio, SSL_ctrl, SSL_CTX_ctrl): where it does not, as
 * around most of the system calls of Python and Ruby, the answer is false. Safe from any thread;
 * not from a signal handler.
 */
bool origin_of_script(struct origin *origin);

/*
 * Is this a thread of a script that has let go of its interpreter's lock for
 * the call under way? It will hold it again right after, and can be asked then.
 */
bool origin_python_has_released(void);

/* One per interpreter, with the contract of origin_of_script. */
bool origin_python(struct origin *origin);
bool origin_php(struct origin *origin);
bool origin_ruby(struct origin *origin);
bool origin_perl(struct origin *origin);

/*
 * The object, and where it has symbols the function, that holds `address`: for
 * native programs and for "the library that called". Pure look-ups in the
 * loader's tables; strings are copied into `origin` as one frame. An address to
 * which a call will return belongs to the call before it.
 */
bool origin_native(struct origin *origin, const void *address);

#endif
