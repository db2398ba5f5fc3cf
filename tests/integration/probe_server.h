/*
 * A server of ours that answers by hand, for what no packaged server does: SSL 3.0, and whatever
 * a hostile one may do. It serves one connection at a time, and notes if a second came meanwhile.
 */
#ifndef TLSWITNESS_PROBE_SERVER_H
#define TLSWITNESS_PROBE_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What it does with a connection; each is in a process of its own and may block or exit. */
typedef void (*serve_connection)(int descriptor, unsigned number, const void *context);

struct hand_server {
	pid_t pid;
	uint16_t port;
};

/* Listens on 127.0.0.1; ended by stop_hand_server(), or with the test. */
struct hand_server start_hand_server(serve_connection serve, const void *context);

void stop_hand_server(struct hand_server *server);

/* Writes all of it; false if the peer has gone. */
bool send_all(int descriptor, const void *bytes, size_t length);
bool send_text(int descriptor, const char *text);

/* Reads up to a newline; false at the end. */
bool receive_line(int descriptor, char *line, size_t size);

/* The dialogue up to and including the 220 to STARTTLS; false if the peer has gone. */
bool serve_up_to_starttls(int descriptor);

/* Reads one record of TLS with its header; 0 at the end. */
size_t receive_record(int descriptor, uint8_t *record, size_t size);

#endif
