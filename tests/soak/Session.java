// As session.py, without a mail library.
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.Collections;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

public class Session {
	private static void say(Socket socket, BufferedReader replies, String command, char wanted) throws Exception {
		String line;

		socket.getOutputStream().write((command + "\r\n").getBytes("US-ASCII"));
		do {
			line = replies.readLine();
			if (line == null || line.charAt(0) != wanted)
				throw new Exception(command + ": " + line);
		} while (line.charAt(3) == '-');
	}

	private static BufferedReader replies(Socket socket) throws Exception {
		return new BufferedReader(new InputStreamReader(socket.getInputStream(), "US-ASCII"));
	}

	private static void mail(SSLContext context, int port) throws Exception {
		Socket clear = new Socket("127.0.0.1", port);
		BufferedReader lines = replies(clear);

		lines.readLine();
		say(clear, lines, "EHLO client", '2');
		say(clear, lines, "STARTTLS", '2');
		SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(clear, "127.0.0.1", port, true);
		lines = replies(socket);
		say(socket, lines, "EHLO client", '2');
		say(socket, lines, "MAIL FROM:<a@example.com>", '2');
		say(socket, lines, "RCPT TO:<b@example.com>", '2');
		say(socket, lines, "DATA", '3');
		say(socket, lines, "Subject: x\r\n\r\nx\r\n.", '2');
		say(socket, lines, "QUIT", '2');
		socket.close();
	}

	/* Resumed wherever there is a session: the context keeps them by name and port. */
	private static Void handshake(SSLContext context, int port) throws Exception {
		try (Socket server = context.getSocketFactory().createSocket("127.0.0.1", port)) {
			if (replies(server).readLine() == null)
				throw new Exception("no greeting");
		}
		return null;
	}

	public static void main(String[] args) throws Exception {
		int port = Integer.parseInt(args[0]), sessions = Integer.parseInt(args[2]), between = Integer.parseInt(args[3]);
		int atOnce = args.length > 4 ? Integer.parseInt(args[4]) : 0;
		BufferedReader told = new BufferedReader(new InputStreamReader(System.in));
		TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
		SSLContext context = SSLContext.getInstance("TLS");

		store.load(null, null);
		store.setCertificateEntry("ca",
			CertificateFactory.getInstance("X.509").generateCertificate(new FileInputStream(args[1])));
		trust.init(store);
		context.init(null, trust.getTrustManagers(), null);
		ExecutorService pool = Executors.newFixedThreadPool(Math.max(atOnce, 1));
		for (int number = between; number <= sessions; number += between) {
			if (atOnce > 0) {
				Callable<Void> one = () -> handshake(context, port);
				for (Future<Void> over : pool.invokeAll(Collections.nCopies(between, one)))
					over.get();
			} else {
				for (int left = between; left > 0; left--)
					mail(context, port);
			}
			System.out.println(number);
			if (told.readLine() == null)
				break;
		}
		pool.shutdown();
	}
}
