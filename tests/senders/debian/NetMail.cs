// Sends one mail with System.Net.Mail: HOST PORT starttls|none CA-FILE
using System.Net;
using System.Net.Mail;

class NetMail {
	static void Main(string[] words) {
		ServicePointManager.ServerCertificateValidationCallback = (a, b, c, d) => true;
		var client = new SmtpClient(words[0], int.Parse(words[1]));
		client.EnableSsl = words[2] == "starttls";
		client.Send("a@example.com", "b@example.com", "rehearsal", "hello");
	}
}
