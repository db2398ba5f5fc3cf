/*
 * A record's line as syslog and the journal take it. What these want beside the
 * line is read from it, so that there is one truth.
 *
 * Pure, as record.h.
 */
#ifndef TLSWITNESS_RECORD_ENVELOPE_H
#define TLSWITNESS_RECORD_ENVELOPE_H

#include <stddef.h>

/* Longer than any header: 255 bytes of a host's name, and what is our own. */
#define ENVELOPE_HEADER_MAX 384

/* What the fields of a full line may take: little more than the line. */
#define ENVELOPE_FIELDS_MAX 5120

/*
 * What stands before the line in a message of syslog (RFC 5424, 6.2): facility
 * mail, severity informational, and event.action as MSGID. Returns its length.
 */
size_t envelope_syslog(char header[ENVELOPE_HEADER_MAX], const char *line, size_t length);

/*
 * The line's members as fields of the journal's native protocol
 * (systemd.io/JOURNAL_NATIVE_PROTOCOL): "tls.version" is TLS_VERSION, an array is
 * a field for each element. A field that does not fit is left out. Returns the
 * length of all.
 */
size_t envelope_journal(char *fields, size_t room, const char *line, size_t length);

#endif
