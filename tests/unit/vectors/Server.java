import java.io.FileInputStream;
import java.security.*;
import javax.net.ssl.*;

/* Serves one connection at SSL 3.0, which no OpenSSL of Debian speaks: Server PORT KEYSTORE */
public class Server {
	public static void main(String[] arguments) throws Exception {
		Security.setProperty("jdk.tls.disabledAlgorithms", "");
		KeyStore store = KeyStore.getInstance("PKCS12");
		store.load(new FileInputStream(arguments[1]), "secret".toCharArray());
		KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
		keys.init(store, "secret".toCharArray());
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(keys.getKeyManagers(), null, null);
		SSLServerSocket listener =
			(SSLServerSocket)context.getServerSocketFactory().createServerSocket(
				Integer.parseInt(arguments[0]));
		listener.setEnabledProtocols(new String[] {"SSLv3"});
		listener.setEnabledCipherSuites(listener.getSupportedCipherSuites());
		SSLSocket socket = (SSLSocket)listener.accept();
		socket.startHandshake();
		System.out.println("Java server: " + socket.getSession().getProtocol() + " " +
				   socket.getSession().getCipherSuite());
		socket.getInputStream().read();
	}
}
