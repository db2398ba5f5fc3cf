/* Sends one mail with libESMTP: HOST PORT starttls|none CA-FILE */
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#include <libesmtp.h>

static int any_certificate(smtp_session_t session, int event, void *argument, ...)
{
	va_list arguments;

	(void)session;
	va_start(arguments, argument);
	if (event == SMTP_EV_WEAK_CIPHER || event == SMTP_EV_INVALID_PEER_CERTIFICATE) {
		(void)va_arg(arguments, long);
		*va_arg(arguments, int *) = 1;
	} else if (event == SMTP_EV_NO_PEER_CERTIFICATE ||
		   event == SMTP_EV_WRONG_PEER_CERTIFICATE ||
		   event == SMTP_EV_NO_CLIENT_CERTIFICATE ||
		   event == SMTP_EV_UNUSABLE_CLIENT_CERTIFICATE ||
		   event == SMTP_EV_UNUSABLE_CA_LIST) {
		*va_arg(arguments, int *) = 1;
	}
	va_end(arguments);
	return 1;
}

int main(int argc, char **argv)
{
	static const char mail[] = "Subject: rehearsal\r\nFrom: a@example.com\r\n\r\nhello\r\n";
	smtp_session_t session = smtp_create_session();
	smtp_message_t message = smtp_add_message(session);
	char server[128];
	char said[256];

	if (argc < 4)
		return 2;
	(void)snprintf(server, sizeof(server), "%s:%s", argv[1], argv[2]);
	smtp_set_server(session, server);
	smtp_set_eventcb(session, any_certificate, NULL);
	if (strcmp(argv[3], "starttls") == 0)
		smtp_starttls_enable(session, Starttls_REQUIRED);
	smtp_set_reverse_path(message, "a@example.com");
	smtp_add_recipient(message, "b@example.com");
	smtp_set_message_str(message, (char *)mail);
	if (!smtp_start_session(session)) {
		(void)fprintf(stderr, "%s\n", smtp_strerror(smtp_errno(), said, sizeof(said)));
		return 1;
	}
	return smtp_message_transfer_status(message)->code / 100 != 2;
}
