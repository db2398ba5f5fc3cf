/*
 * The protocol settings that an application made: what allows or forces
 * something below the floor, or caps below what the library could do.
 *
 * Each is kept once per place, and written when the process turns out to send
 * mail: a process that only fetches web pages leaves no record of its settings.
 */
#ifndef TLSWITNESS_SETTING_H
#define TLSWITNESS_SETTING_H

#include <stdint.h>

#define SETTING_WORDS_MAX 96

/* A sentence in the making: always terminated, cut at its room. */
struct setting_words {
	char text[SETTING_WORDS_MAX];
};

void setting_say(struct setting_words *words, const char *text);

/* The call's closing bracket; "...)" if something was cut. */
void setting_end(struct setting_words *words);
void setting_say_version(struct setting_words *words, uint16_t version, const char *if_none);

/*
 * The application has made the call in `words` to `owner` (a context or a handshake's
 * object; NULL if that is not known), which will return to `caller`.
 * To be called while the interpreter, if there is one, still holds its lock.
 * Keeps errno. Thread-safe, takes no lock.
 */
void setting_made(const struct setting_words *words, const void *caller, const void *owner);

/* The same, of a call that was made earlier: the script is elsewhere by now. */
void setting_made_unplaced(const struct setting_words *words, const void *caller,
			   const void *owner);

/* Room for the names of four settings, blanks between them. */
#define SETTING_IDS_MAX (4 * 17UL)

/*
 * The names of the settings that were made to a handshake's object or its context, as
 * their records have them; "" if there are none, or if that is not known any more.
 * Thread-safe, takes no lock.
 */
void setting_ids_of(char ids[SETTING_IDS_MAX], const void *object, const void *context);

/* An object begins or ends at this address: what was set to another one is not its own. */
void setting_forget(const void *owner);

/* This process sends mail: writes what was kept and is not yet written. */
void setting_tell_all(void);

#endif
