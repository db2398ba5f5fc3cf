// Sends one mail with POCO: HOST PORT starttls|none CA-FILE
#include <iostream>
#include <string>

#include <Poco/Net/AcceptCertificateHandler.h>
#include <Poco/Net/MailMessage.h>
#include <Poco/Net/SSLManager.h>
#include <Poco/Net/SecureSMTPClientSession.h>

using namespace Poco::Net;

int main(int, char **words)
try {
	Context::Params parameters;
	parameters.verificationMode = Context::VERIFY_NONE;
	parameters.cipherList = "DEFAULT:@SECLEVEL=0";
	Context::Ptr context = new Context(Context::TLS_CLIENT_USE, parameters);
	SSLManager::instance().initializeClient(nullptr, new AcceptCertificateHandler(false), context);
	SecureSMTPClientSession session(words[1], std::stoi(words[2]));
	MailMessage message;

	session.login("client");
	if (std::string(words[3]) == "starttls" && !session.startTLS(context))
		return 1;
	if (std::string(words[3]) == "starttls")
		session.login("client");
	message.setSender("a@example.com");
	message.addRecipient(MailRecipient(MailRecipient::PRIMARY_RECIPIENT, "b@example.com"));
	message.setSubject("rehearsal");
	message.setContent("hello");
	session.sendMessage(message);
	session.close();
	return 0;
} catch (const Poco::Exception &exception) {
	std::cerr << exception.displayText() << '\n';
	return 1;
}
