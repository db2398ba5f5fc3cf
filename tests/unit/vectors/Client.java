import java.security.Security;
import javax.net.ssl.*;

/* Connects, shakes hands, closes: Client PORT PROTOCOLS SERVER_NAME [trust] */
public class Client {
	public static void main(String[] arguments) throws Exception {
		Security.setProperty("jdk.tls.disabledAlgorithms", "");
		SSLContext context = SSLContext.getInstance("TLS");
		TrustManager[] trust = {new X509TrustManager() {
			public void checkClientTrusted(java.security.cert.X509Certificate[] c, String a) {}
			public void checkServerTrusted(java.security.cert.X509Certificate[] c, String a) {}
			public java.security.cert.X509Certificate[] getAcceptedIssuers() {
				return new java.security.cert.X509Certificate[0];
			}
		}};
		context.init(null, arguments.length > 3 ? trust : null, null);
		SSLSocket socket = (SSLSocket)context.getSocketFactory().createSocket(
			"127.0.0.1", Integer.parseInt(arguments[0]));
		socket.setEnabledProtocols(arguments[1].split(","));
		socket.setEnabledCipherSuites(socket.getSupportedCipherSuites());
		SSLParameters parameters = socket.getSSLParameters();
		parameters.setServerNames(java.util.List.of(new SNIHostName(arguments[2])));
		socket.setSSLParameters(parameters);
		socket.startHandshake();
		System.out.println("Java: " + socket.getSession().getProtocol() + " " +
				   socket.getSession().getCipherSuite());
		socket.close();
	}
}
