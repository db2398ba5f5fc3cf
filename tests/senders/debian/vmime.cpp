// Sends one mail with VMime: HOST PORT starttls|implicit|none CA-FILE
#include <iostream>
#include <string>

#include <vmime/platforms/posix/posixHandler.hpp>
#include <vmime/vmime.hpp>

class anyone : public vmime::security::cert::certificateVerifier {
	void verify(vmime::shared_ptr<vmime::security::cert::certificateChain>,
		    const vmime::string &) override
	{
	}
};

int main(int, char **words)
try {
	vmime::platform::setHandler<vmime::platforms::posix::posixHandler>();
	const std::string mode = words[3];
	const std::string scheme = mode == "implicit" ? "smtps://" : "smtp://";
	auto session = vmime::net::session::create();
	auto transport = session->getTransport(vmime::utility::url(scheme + words[1] + ":" + words[2]));

	transport->setProperty("connection.tls", mode == "starttls");
	transport->setProperty("connection.tls.required", mode == "starttls");
	transport->setCertificateVerifier(vmime::make_shared<anyone>());
	transport->connect();
	vmime::mailboxList recipients;
	recipients.appendMailbox(vmime::make_shared<vmime::mailbox>("b@example.com"));
	vmime::string mail = "Subject: rehearsal\r\n\r\nhello\r\n";
	vmime::utility::inputStreamStringAdapter stream(mail);
	transport->send(vmime::mailbox("a@example.com"), recipients, stream, mail.size());
	transport->disconnect();
	return 0;
} catch (const std::exception &exception) {
	std::cerr << exception.what() << '\n';
	return 1;
}
