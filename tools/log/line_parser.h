/*
 * A line of any log that carries our records -> the record's fields:
 *
 *   {"@timestamp":…}                           as the recorder wrote it
 *   {"tls":{"version":…},…}                    as a log shipper rewrote it
 *   {"MESSAGE":"{\"@timestamp\":…",…}          as `journalctl -o json`, Docker ("log") or
 *                                              a shipper ("message") wrapped it
 *   MESSAGE={"@timestamp":…                    as `journalctl -o export` has it, between
 *                                              other fields
 *   Nov 23 13:05:07 host tlswitness: {…        as syslog has it, old (RFC 3164) and
 *   <22>1 2026-… host tlswitness - - - {…      new (RFC 5424)
 */
#ifndef TLSWITNESS_LINE_PARSER_H
#define TLSWITNESS_LINE_PARSER_H

#include "tools/log/entry.h"
#include "tools/log/json_line.h"
#include "tools/log/scanner.h"

enum line_result {
	LINE_OBJECT,  /* a JSON object: a record, if it has the fields of one */
	LINE_NOTHING, /* blank, or a field of the journal that is not the message */
	LINE_NO_OBJECT,
	LINE_INVALID,
};

struct line_parser {
	bool general_only; /* every line to the general parser, for tests */
	struct scanner scanner;
	struct json_line json;
	struct json_line inner; /* a record within the JSON of somebody else */
	char message[SCANNER_LINE_MAX + SCANNER_PADDING];
};

void line_parser_init(struct line_parser *parser);

/*
 * Reads `line`, which has no newline and at least SCANNER_PADDING readable bytes
 * behind it; a carriage return at its end and a byte order mark at its beginning
 * are no part of it. Slices are good until the next call. `*record`, if not NULL,
 * becomes the JSON of the record alone, where there is one.
 */
enum line_result line_parser_read(struct line_parser *parser, struct slice line,
				  struct entry *entry, struct slice *record);

void line_parser_free(struct line_parser *parser);

#endif
