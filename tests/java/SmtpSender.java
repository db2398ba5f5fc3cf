// Sends one mail: HOST PORT starttls|implicit|none CA-FILE
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.security.Security;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class SmtpSender {
	private BufferedReader replies;
	private OutputStream commands;

	private void over(Socket socket) throws IOException {
		replies = new BufferedReader(
			new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
		commands = socket.getOutputStream();
	}

	private void expect(String code) throws IOException {
		String line;

		do {
			line = replies.readLine();
			if (line == null || !line.startsWith(code))
				throw new IOException("not " + code + ": " + line);
		} while (line.charAt(3) == '-');
	}

	private void say(String command, String code) throws IOException {
		commands.write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
		commands.flush();
		expect(code);
	}

	private static SSLContext trusting(String caFile) throws Exception {
		KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
		TrustManagerFactory trust =
			TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		SSLContext context = SSLContext.getInstance("TLS");

		store.load(null, null);
		try (InputStream in = new FileInputStream(caFile)) {
			store.setCertificateEntry(
				"sink", CertificateFactory.getInstance("X.509").generateCertificate(in));
		}
		trust.init(store);
		context.init(null, trust.getTrustManagers(), null);
		return context;
	}

	private static SSLSocket overTls(Socket socket, String host, String caFile) throws Exception {
		SSLSocket tls = (SSLSocket) trusting(caFile).getSocketFactory().createSocket(
			socket, host, socket.getPort(), true);

		if (System.getProperty("jdk.tls.client.protocols") == null)
			tls.setEnabledProtocols(
				new String[] {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"});
		tls.startHandshake();
		return tls;
	}

	private void send(String host, int port, String mode, String caFile) throws Exception {
		try (Socket socket = new Socket(host, port)) {
			over(mode.equals("implicit") ? overTls(socket, host, caFile) : socket);
			expect("220");
			say("EHLO client", "250");
			if (mode.equals("starttls")) {
				say("STARTTLS", "220");
				over(overTls(socket, host, caFile));
				say("EHLO client", "250");
			}
			say("AUTH PLAIN AHVzZXIAc2VjcmV0d29yZA==", "235");
			say("MAIL FROM:<a@example.com>", "250");
			say("RCPT TO:<b@example.com>", "250");
			say("DATA", "354");
			say("Subject: rehearsal\r\n\r\nhello\r\n.", "250");
			say("QUIT", "221");
		}
	}

	public static void main(String[] arguments) throws Exception {
		// Java 17 has TLS 1.0 and 1.1, but switched off.
		Security.setProperty("jdk.tls.disabledAlgorithms", "");
		new SmtpSender().send(arguments[0], Integer.parseInt(arguments[1]), arguments[2],
				      arguments[3]);
	}
}
