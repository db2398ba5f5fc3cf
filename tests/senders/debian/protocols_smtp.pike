// Sends one mail with Pike: HOST PORT none|implicit CA-FILE
int main(int count, array(string) words)
{
	object smtp;

	if (words[3] == "implicit") {
		Stdio.File file = Stdio.File();
		if (!file->connect("127.0.0.1", (int)words[2]))
			return 1;
		object context = SSL.Context();
		context->min_version = SSL.Constants.PROTOCOL_TLS_1_0;
		object tls = SSL.File(file, context);
		if (!tls->connect(words[1]))
			return 1;
		tls->set_blocking();
		tls->read(1024, 1);
		foreach (({ "EHLO client", "MAIL FROM:<a@example.com>", "RCPT TO:<b@example.com>",
			    "DATA", "Subject: rehearsal\r\n\r\nhello\r\n.", "QUIT" }), string line) {
			tls->write(line + "\r\n");
			string reply = tls->read(1024, 1);
			if (!reply || (reply[0] != '2' && reply[0] != '3'))
				return 1;
		}
		return 0;
	}
	smtp = Protocols.SMTP.Client("127.0.0.1", (int)words[2]);
	smtp->send_message("a@example.com", ({ "b@example.com" }),
			   "Subject: rehearsal\r\n\r\nhello\r\n");
	return 0;
}
