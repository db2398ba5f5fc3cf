/*
 * Knows words alone.
 */
#include "tools/report/method.h"

const char *const report_method[REPORT_METHOD_PARAGRAPHS] = {
	"Inside each program that sent mail a recorder was loaded. It saw what the program's TLS "
	"library (OpenSSL, GnuTLS) was told and what it agreed on, and, beside that, the first "
	"bytes of each handshake as they passed through the C library. Where both saw the "
	"version, they had to agree; a connection on which they did not is counted among the "
	"gaps. One record was written for each connection when its handshake ended, or when mail "
	"began in the clear. The figures are counts of these records, never estimates; a record "
	"that is there twice, by its identifier, counts once. The floor is the lowest version "
	"that was to be allowed, as set on each host.",
	"Not seen are programs in which no recorder can be loaded: statically linked ones, those "
	"in Go, those that speak to the kernel without the C library (io_uring), set-user-ID and "
	"set-group-ID ones unless it is loaded for the whole system, and children whose "
	"environment was cleared. Nor are hosts whose log is not among the inputs. What the "
	"recorder knew that it could not see is listed among the gaps or blind spots. It is a "
	"witness and not a guard against programs that want to evade it.",
	"To repeat this report, run the command above on inputs that have the same SHA-256.",
};
