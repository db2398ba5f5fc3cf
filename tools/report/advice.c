/*
 * Knows how each language and mailer is told which TLS version is the least; must
 * not know how places are found.
 *
 * In the sentences, {_} stands for the version as names in code have it ("1_2"),
 * {.} as people write it ("1.2"), {!}, {,} and {+} for lists of versions as OpenSSL
 * in Perl, Java and GnuTLS want them.
 */
#include "tools/report/advice.h"

#include <stdio.h>
#include <stdlib.h>

#include "shim/record/record_values.h"
#include "tools/base/put.h"
#include "tools/base/table.h"

/* By the name of the binary, which may go on with a version: "python3.11". */
static const struct {
	const char *name;
	enum report_language language;
} interpreters[] = {
	{"python", LANGUAGE_PYTHON}, {"pypy", LANGUAGE_PYTHON}, {"uwsgi", LANGUAGE_PYTHON},
	{"php", LANGUAGE_PHP},       {"apache2", LANGUAGE_PHP}, {"httpd", LANGUAGE_PHP},
	{"perl", LANGUAGE_PERL},     {"swaks", LANGUAGE_PERL},  {"ruby", LANGUAGE_RUBY},
	{"node", LANGUAGE_NODE},     {"nodejs", LANGUAGE_NODE}, {"java", LANGUAGE_JAVA},
	{"curl", LANGUAGE_CURL},
};

static const struct {
	const char *suffix;
	enum report_language language;
} suffixes[] = {
	{".py", LANGUAGE_PYTHON}, {".php", LANGUAGE_PHP},  {".phtml", LANGUAGE_PHP},
	{".pl", LANGUAGE_PERL},   {".pm", LANGUAGE_PERL},  {".rb", LANGUAGE_RUBY},
	{".js", LANGUAGE_NODE},   {".mjs", LANGUAGE_NODE},
};

static const char *const language_advice[REPORT_LANGUAGES] = {
	[LANGUAGE_PYTHON] =
		"Python: set context.minimum_version = ssl.TLSVersion.TLSv{_} on the "
		"SSLContext, and drop any maximum_version, OP_NO_TLSv1_x or PROTOCOL_TLSv1.",
	[LANGUAGE_PHP] = "PHP: set the ssl stream option 'min_proto_version' => "
			 "STREAM_CRYPTO_PROTO_TLSv{_}, and drop a crypto_method that names older "
			 "versions (with PHPMailer both in SMTPOptions['ssl']).",
	[LANGUAGE_PERL] = "Perl: pass SSL_version => '!SSLv2:!SSLv3:!TLSv1:!TLSv1_1{!}' to "
			  "IO::Socket::SSL or starttls.",
	[LANGUAGE_RUBY] = "Ruby: set context.min_version = OpenSSL::SSL::TLS{_}_VERSION on the "
			  "SSLContext.",
	[LANGUAGE_NODE] =
		"Node: set minVersion: 'TLSv{.}' in the transport's tls options, and drop "
		"maxVersion.",
	[LANGUAGE_JAVA] = "Java: set mail.smtp.ssl.protocols (or jdk.tls.client.protocols) to "
			  "{,}.",
	[LANGUAGE_CURL] = "curl: call it with --tlsv{.}, and without --tls-max.",
	[LANGUAGE_PYCURL] = "pycurl: set c.setopt(pycurl.SSLVERSION, pycurl.SSLVERSION_TLSv{_}), "
			    "and no SSLVERSION_MAX_TLSv1_x with it.",
	[LANGUAGE_PHP_CURL] =
		"PHP's curl: set curl_setopt($handle, CURLOPT_SSLVERSION, "
		"CURL_SSLVERSION_TLSv{_}), and no CURL_SSLVERSION_MAX_TLSv1_x with it.",
	[LANGUAGE_LIBCURL] = "libcurl: set CURLOPT_SSLVERSION to CURL_SSLVERSION_TLSv{_}, and no "
			     "CURL_SSLVERSION_MAX_TLSv1_x with it.",
};

/* Mailers that are no interpreters, by their binary. */
static const struct {
	const char *name;
	const char *advice;
} mailers[] = {
	{"smtp", "Postfix: set smtp_tls_protocols and smtp_tls_mandatory_protocols to >=TLSv{.}."},
	{"exim4", "Exim: in the smtp transport set tls_require_ciphers = "
		  "NORMAL:-VERS-ALL:{+} (GnuTLS)."},
	{"sendmail", "sendmail: set ClientSSLOptions so that it has no versions below TLS {.}."},
	{"smtpd", "OpenSMTPD: give the relay action tls protocols \"tlsv{.}\"."},
	{"msmtp", "msmtp: set tls_priorities NORMAL:-VERS-ALL:{+}."},
	{"mutt", "mutt: set ssl_use_tlsv1 = no and ssl_use_tlsv1_1 = no."},
	{"neomutt", "neomutt: set ssl_use_tlsv1 = no and ssl_use_tlsv1_1 = no."},
	{"openssl", "openssl s_client: call it with -min_protocol TLSv{.}."},
};

static struct slice base_name(struct slice path)
{
	const char *slash = path.length ? memrchr(path.start, '/', path.length) : NULL;

	if (!slash)
		return path;
	return (struct slice){slash + 1, path.length - (size_t)(slash + 1 - path.start)};
}

static bool begins_with(struct slice text, const char *prefix)
{
	size_t length = strlen(prefix);

	return text.length >= length && memcmp(text.start, prefix, length) == 0;
}

static bool ends_with(struct slice text, const char *suffix)
{
	size_t length = strlen(suffix);

	return text.length >= length &&
	       memcmp(text.start + text.length - length, suffix, length) == 0;
}

static struct slice argument_of(struct slice call)
{
	const char *open = memchr(call.start, '(', call.length);
	struct slice argument;

	if (!open)
		return slice_of("");
	argument = slice_from(call, (size_t)(open + 1 - call.start));
	if (ends_with(argument, ")"))
		argument.length--;
	return argument;
}

static bool calls(struct slice call, const char *suffix)
{
	const char *open = memchr(call.start, '(', call.length);

	return open && ends_with((struct slice){call.start, (size_t)(open - call.start)}, suffix);
}

void advice_put_setting(FILE *out, struct slice call)
{
	struct slice argument = argument_of(call);

	if (calls(call, "_set_max_proto_version")) {
		put_text(out, "allows nothing above ");
		put_slice(out, argument);
	} else if (calls(call, "_set_min_proto_version")) {
		put_text(out, "allows versions down to ");
		put_slice(out, slice_is(argument, "lowest") ? slice_of("the oldest") : argument);
	} else if (calls(call, "_set_options")) {
		put_text(out, "switches new versions off");
	} else if (calls(call, "_clear_options")) {
		put_text(out, "switches old versions on");
	} else if (ends_with(argument, "_method")) {
		put_text(out, "allows one version only");
	} else if (calls(call, "_set_security_level") || calls(call, "_set_cipher_list")) {
		put_text(out, "allows weak keys and hashes, which old versions need");
	} else {
		put_text(out, "sets which versions are allowed");
	}
}

static enum report_language language_of(struct slice executable, struct slice file)
{
	struct slice name = base_name(executable);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (ends_with(file, suffixes[i].suffix))
			return suffixes[i].language;
	}
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(interpreters[0]); i++) {
		if (begins_with(name, interpreters[i].name))
			return interpreters[i].language;
	}
	return LANGUAGE_OTHER;
}

enum report_language advice_language(struct slice executable, struct slice file, bool by_curl)
{
	enum report_language language = language_of(executable, file);

	if (!by_curl || language == LANGUAGE_CURL)
		return language;
	if (language == LANGUAGE_PYTHON)
		return LANGUAGE_PYCURL;
	return language == LANGUAGE_PHP ? LANGUAGE_PHP_CURL : LANGUAGE_LIBCURL;
}

const char *advice_for_failure(struct slice reason)
{
	static const struct {
		enum record_reason reason; /* of ours; else in the library's or the peer's words: */
		const char *part;
		const char *advice;
	} known[] = {
		{RECORD_REASON_CERTIFICATE_EXPIRED, NULL,
		 "The server's certificate has expired: its operator has to renew it."},
		{RECORD_REASON_CERTIFICATE_HOST_MISMATCH, NULL,
		 "The server's certificate is for another name: connect by the name that it is "
		 "for, or have its operator add this one."},
		{RECORD_REASON_CERTIFICATE_NOT_TRUSTED, NULL,
		 "No trusted authority vouches for the server's certificate: have its operator "
		 "get one that does and send the chain with it, or install the authority here "
		 "(ca-certificates)."},
		{RECORD_REASON_TLSA_INVALID, NULL,
		 "The server's certificate is not the one that its domain's TLSA records promise: "
		 "its operator has to bring them in line."},
		{RECORD_REASON_VALIDATION_FAILURE, NULL,
		 "The server's certificate was refused: `openssl s_client "
		 "-starttls smtp -connect HOST:PORT` says why."},
		{RECORD_REASON_UNKNOWN, "certificate verify failed",
		 "The server's certificate was refused: `openssl s_client -starttls smtp "
		 "-connect HOST:PORT` says why."},
		{RECORD_REASON_UNKNOWN, "no protocols available",
		 "The program's own settings leave it no version to "
		 "offer: its minimum is above its maximum, or the floor "
		 "is above what it allows."},
		{RECORD_REASON_UNKNOWN, "protocol version",
		 "The two have no version in common: raise the one that is "
		 "older, the program or the server."},
		{RECORD_REASON_UNKNOWN, "unsupported protocol",
		 "The two have no version in common: raise the one that "
		 "is older, the program or the server."},
		{RECORD_REASON_UNKNOWN, "handshake failure",
		 "The two have no cipher or key in common; an old server or "
		 "a weak key is the usual reason."},
		{RECORD_REASON_UNKNOWN, "dh key too small",
		 "The server's key is too weak for this program: its operator "
		 "has to renew it."},
		{RECORD_REASON_UNKNOWN, "ee key too small",
		 "The server's key is too weak for this program: its operator "
		 "has to renew it."},
		{RECORD_REASON_STARTTLS_NOT_OFFERED, NULL,
		 "The server offers no STARTTLS here: use another port, or another relay."},
		{RECORD_REASON_STARTTLS_REFUSED, NULL,
		 "The server refused STARTTLS: ask its operator."},
		{RECORD_REASON_BELOW_FLOOR, NULL,
		 "Raise what is older, the program or the server, or make an "
		 "exception for it."},
		{RECORD_REASON_UNKNOWN, "Connection reset",
		 "The other end gave up in the middle of the handshake; a box "
		 "in between, or a server that refuses this client."},
		{RECORD_REASON_UNKNOWN, "connection was closed",
		 "The other end gave up in the middle of the handshake; a "
		 "box in between, or a server that refuses this client."},
	};

	for (size_t i = 0; reason.length && i < sizeof(known) / sizeof(known[0]); i++) {
		const char *part = known[i].part
					   ? known[i].part
					   : record_value_text(RECORD_SET_REASON, known[i].reason);

		if (memmem(reason.start, reason.length, part, strlen(part)))
			return known[i].advice;
	}
	return NULL;
}

/* What stands in the sentences for the version, by the character between the braces. */
static const char *placeholder(char which, bool highest)
{
	switch (which) {
	case '_':
		return highest ? "1_3" : "1_2";
	case '.':
		return highest ? "1.3" : "1.2";
	case '!':
		return highest ? ":!TLSv1_2" : "";
	case ',':
		return highest ? "TLSv1.3" : "TLSv1.2,TLSv1.3";
	default:
		return highest ? "+VERS-TLS1.3" : "+VERS-TLS1.2:+VERS-TLS1.3";
	}
}

static void fill_in(FILE *out, const char *sentence, enum entry_version floor)
{
	for (; *sentence; sentence++) {
		if (sentence[0] == '{' && sentence[1] && sentence[2] == '}') {
			put_text(out, placeholder(sentence[1], floor == VERSION_TLS_1_3));
			sentence += 2;
		} else {
			put_byte(out, *sentence);
		}
	}
}

static const char *mailer_advice(struct slice executable)
{
	for (size_t i = 0; i < sizeof(mailers) / sizeof(mailers[0]); i++) {
		if (slice_is(base_name(executable), mailers[i].name))
			return mailers[i].advice;
	}
	return NULL;
}

/* "mx1.example and mx2.example", "a, b, c and 3 others": whom to ask. */
static void put_servers(FILE *out, const struct advice_servers *servers)
{
	size_t named =
		servers->count < ADVICE_SERVERS_NAMED ? servers->count : ADVICE_SERVERS_NAMED;

	for (size_t i = 0; i < named; i++) {
		if (i > 0)
			put_text(out, i + 1 == servers->count ? " and " : ", ");
		put_slice(out, servers->name[i]);
	}
	if (servers->count > named)
		put_format(out, " and %zu other%s (--by destination names them)",
			   servers->count - named, servers->count - named == 1 ? "" : "s");
}

static void put_server_advice(FILE *out, const struct advice_facts *facts)
{
	const char *wanted = entry_version_name(facts->floor);

	if (facts->supports >= facts->floor) {
		put_text(out, "The server can do more than it chose: the operator of ");
		put_servers(out, &facts->limiting);
		put_format(out, " has to let it choose TLS %s.", wanted);
		return;
	}
	put_text(out, "The server limits it: ask the operator of ");
	put_servers(out, &facts->limiting);
	put_format(out, " for TLS %s, or send through another relay.", wanted);
}

static void put_plaintext_advice(FILE *out, const struct advice_facts *facts)
{
	put_text(out,
		 "Mail leaves in the clear: make the program require STARTTLS, or implicit TLS on "
		 "port 465; if ");
	put_servers(out, &facts->clear);
	put_format(out, " offer%s neither, send through another relay.",
		   facts->clear.count == 1 ? "s" : "");
}

static void put_client_advice(FILE *out, const struct report_place *place,
			      const struct advice_facts *facts)
{
	const char *mailer = mailer_advice(facts->executable);

	if (language_advice[place->language])
		fill_in(out, language_advice[place->language], facts->floor);
	else if (mailer)
		fill_in(out, mailer, facts->floor);
	else
		fill_in(out,
			"Set the least TLS version that the program accepts to {.}, in its own "
			"settings or its code.",
			facts->floor);
}

/* The client is (also) to blame where it would have accepted less, or offered no more. */
static bool client_is_to_blame(const struct report_place *place, const struct advice_facts *facts)
{
	if (place->tally.connections == 0 || place->limited_by[LIMIT_CLIENT] > 0 ||
	    place->tally.verdict[VERDICT_AT_RISK] > 0)
		return true;
	return facts->clear.count == 0 && facts->limiting.count == 0;
}

char *advice_for(const struct report_place *place, const struct advice_facts *facts)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		table_out_of_memory();
	if (facts->clear.count > 0)
		put_plaintext_advice(out, facts);
	if (facts->limiting.count > 0) {
		put_text(out, ftell(out) > 0 ? " " : "");
		put_server_advice(out, facts);
	}
	if (client_is_to_blame(place, facts)) {
		put_text(out, ftell(out) > 0 ? " " : "");
		put_client_advice(out, place, facts);
	}
	if (fclose(out) != 0)
		table_out_of_memory();
	return text;
}
