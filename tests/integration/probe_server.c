/*
 * The server that answers by hand. It knows sockets and SMTP as far as STARTTLS.
 */
#include "tests/integration/probe_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

static int listen_on_loopback(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(listener >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 &&
			  listen(listener, 128) == 0 &&
			  getsockname(listener, (struct sockaddr *)&address, &length) == 0,
		  "no listener");
	*port = ntohs(address.sin_port);
	return listener;
}

static _Noreturn void serve_all(int listener, serve_connection serve, const void *context)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, SIG_DFL);
	for (unsigned number = 1;; number++) {
		int descriptor = accept(listener, NULL, NULL);
		if (descriptor < 0)
			_exit(1);
		serve(descriptor, number, context);
		close(descriptor);
	}
}

struct hand_server start_hand_server(serve_connection serve, const void *context)
{
	struct hand_server server = {.pid = 0};
	int listener = listen_on_loopback(&server.port);

	server.pid = fork();
	cr_assert_geq(server.pid, 0);
	if (server.pid == 0)
		serve_all(listener, serve, context);
	close(listener);
	return server;
}

void stop_hand_server(struct hand_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

bool send_all(int descriptor, const void *bytes, size_t length)
{
	const char *byte = bytes;

	while (length > 0) {
		ssize_t sent = send(descriptor, byte, length, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		byte += sent;
		length -= (size_t)sent;
	}
	return true;
}

bool send_text(int descriptor, const char *text)
{
	return send_all(descriptor, text, strlen(text));
}

bool receive_line(int descriptor, char *line, size_t size)
{
	size_t length = 0;

	while (length + 1 < size && recv(descriptor, line + length, 1, 0) == 1) {
		if (line[length++] == '\n') {
			line[length] = '\0';
			return true;
		}
	}
	return false;
}

bool serve_up_to_starttls(int descriptor)
{
	char line[512];

	return send_text(descriptor, "220 mx.example.net ESMTP\r\n") &&
	       receive_line(descriptor, line, sizeof(line)) &&
	       send_text(descriptor, "250-mx.example.net\r\n250 STARTTLS\r\n") &&
	       receive_line(descriptor, line, sizeof(line)) &&
	       send_text(descriptor, "220 2.0.0 ready\r\n");
}

static bool receive_all(int descriptor, uint8_t *bytes, size_t length)
{
	return recv(descriptor, bytes, length, MSG_WAITALL) == (ssize_t)length;
}

size_t receive_record(int descriptor, uint8_t *record, size_t size)
{
	if (!receive_all(descriptor, record, 5))
		return 0;
	size_t length = (size_t)(record[3] << 8 | record[4]);
	if (length + 5 > size || !receive_all(descriptor, record + 5, length))
		return 0;
	return length + 5;
}
