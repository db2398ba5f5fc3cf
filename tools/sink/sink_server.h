/*
 * The listening half of the sink: accepts, gives each connection a thread, and
 * ends when told to, or after so many connections.
 */
#ifndef TLSWITNESS_SINK_SERVER_H
#define TLSWITNESS_SINK_SERVER_H

#include <stdbool.h>

#include "tools/sink/sink_connection.h"

/*
 * Blocks SIGINT and SIGTERM, to be taken by sink_server_run(), and ignores
 * SIGPIPE. To be called before any thread is started.
 */
void sink_server_prepare(void);

/*
 * Listens where the settings say and has `port` say which it is. Returns the
 * socket, or -1 with a complaint made.
 */
int sink_server_listen(const struct sink_settings *settings, uint16_t *port);

/*
 * Serves until the number of connections is reached or a signal comes, and
 * closes `listener`. Every connection accepted has its entry when this
 * returns. False, with a complaint made, if it could not go on.
 */
bool sink_server_run(struct sink *sink, int listener);

#endif
