/*
 * What --by can group by: the names, and what a key is made of.
 */
#ifndef TLSWITNESS_KEYS_H
#define TLSWITNESS_KEYS_H

#include "tools/log/entry.h"
#include "tools/report/model.h"

enum key_kind {
	KEY_IS_PROGRAM,
	KEY_IS_DESTINATION,
	KEY_IS_VERSION,
	KEY_IS_VERDICT,
	KEY_IS_PLACE, /* file, line, function: three words; the others take one */
	KEY_IS_HOUR,
	KEY_IS_DAY,
	KEY_IS_TEXT,   /* a field as it stands */
	KEY_IS_DOMAIN, /* the registrable domain of the destination */
	KEY_IS_LIST,   /* the same, of texts: without their quotes */
};

enum key_kind keys_kind(enum report_key key);
enum entry_field keys_field(enum report_key key); /* of a KEY_IS_TEXT */

/* The words of a cell's key that these take, and which of one key's are texts, as bits. */
size_t keys_words(const enum report_key *keys, size_t count);
uint32_t keys_texts(enum report_key key);

#endif
