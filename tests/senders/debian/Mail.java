// Sends one mail with a Java library: HOST PORT starttls|implicit CA-FILE javamail|commons
import java.util.Properties;
import javax.mail.Message;
import javax.mail.Session;
import javax.mail.Transport;
import javax.mail.internet.InternetAddress;
import javax.mail.internet.MimeMessage;
import org.apache.commons.mail.SimpleEmail;

public class Mail {
	private static Properties properties(String[] words) {
		Properties properties = new Properties();
		String protocol = "mail.smtp.";

		properties.put(protocol + "host", words[0]);
		properties.put(protocol + "port", words[1]);
		properties.put(protocol + "ssl.trust", "*");
		properties.put(protocol + "ssl.checkserveridentity", "false");
		properties.put(protocol + "ssl.protocols", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3");
		properties.put(protocol + "starttls.enable", String.valueOf(words[2].equals("starttls")));
		properties.put(protocol + "starttls.required", String.valueOf(words[2].equals("starttls")));
		properties.put(protocol + "ssl.enable", String.valueOf(words[2].equals("implicit")));
		return properties;
	}

	public static void main(String[] words) throws Exception {
		Session session = Session.getInstance(properties(words));

		java.security.Security.setProperty("jdk.tls.disabledAlgorithms", "SSLv3");
		if (words[4].equals("commons")) {
			SimpleEmail mail = new SimpleEmail();
			mail.setMailSession(session);
			mail.setFrom("a@example.com");
			mail.addTo("b@example.com");
			mail.setSubject("rehearsal");
			mail.setMsg("hello");
			mail.send();
			return;
		}
		MimeMessage message = new MimeMessage(session);
		message.setFrom(new InternetAddress("a@example.com"));
		message.setRecipient(Message.RecipientType.TO, new InternetAddress("b@example.com"));
		message.setSubject("rehearsal");
		message.setText("hello");
		Transport.send(message);
	}
}
