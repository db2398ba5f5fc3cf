/*
 * Knows how each language and mailer is told which TLS version is the least; must
 * not know how places are found.
 *
 * In the sentences, {_} stands for the version as names in code have it ("1_2"),
 * {.} as people write it ("1.2"), {!}, {,} and {+} for lists of versions as OpenSSL
 * in Perl, Java and GnuTLS want them.
 */
#include "advice.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "table.h"

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
	[LANGUAGE_PHP] = "PHP: set the stream option 'crypto_method' => "
			 "STREAM_CRYPTO_METHOD_TLSv{_}_CLIENT (with PHPMailer in "
			 "SMTPOptions['ssl']).",
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

enum report_language advice_language(struct slice executable, struct slice file)
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

__attribute__((format(printf, 1, 2))) static char *print(const char *format, ...)
{
	char *text = NULL;
	va_list arguments;
	int length = 0;

	va_start(arguments, format);
	length = vasprintf(&text, format, arguments);
	va_end(arguments);
	if (length < 0)
		table_out_of_memory();
	return text;
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

static char *fill_in(const char *sentence, enum report_version floor)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		table_out_of_memory();
	for (; *sentence; sentence++) {
		if (sentence[0] == '{' && sentence[1] && sentence[2] == '}') {
			fputs(placeholder(sentence[1], floor == VERSION_TLS_1_3), out);
			sentence += 2;
		} else {
			fputc(*sentence, out);
		}
	}
	if (fclose(out) != 0)
		table_out_of_memory();
	return text;
}

static const char *mailer_advice(struct slice executable)
{
	for (size_t i = 0; i < sizeof(mailers) / sizeof(mailers[0]); i++) {
		if (slice_is(base_name(executable), mailers[i].name))
			return mailers[i].advice;
	}
	return NULL;
}

/* "a.example, b.example and 3 more": whom to ask. */
static char *relay_names(const struct report_place *place)
{
	struct slice first =
		place->destination_count ? place->destinations[0] : SLICE_LITERAL("the server");
	int length = (int)(first.length < 255 ? first.length : 255);

	if (place->destination_count <= 1)
		return print("%.*s", length, first.start);
	return print("%.*s and %zu more", length, first.start, place->destination_count - 1);
}

static char *server_advice(const struct report_place *place, enum report_version floor,
			   enum report_version supports)
{
	char *names = relay_names(place);
	const char *wanted = report_version_name(floor);
	char *advice = NULL;

	if (supports >= floor)
		advice = print("The server chose less than it can do: its own settings at %s have "
			       "to prefer TLS %s.",
			       names, wanted);
	else
		advice = print("The server limits it: ask the operator of %s for TLS %s, or send "
			       "through another relay.",
			       names, wanted);
	free(names);
	return advice;
}

static char *plaintext_advice(const struct report_place *place)
{
	char *names = relay_names(place);
	char *advice =
		print("Mail leaves in the clear: make the program require STARTTLS (or use port "
		      "465), and if %s offers none, send through another relay.",
		      names);

	free(names);
	return advice;
}

char *advice_for(const struct report_place *place, enum report_version floor,
		 enum report_version supports, struct slice executable)
{
	const uint64_t *limits = place->limited_by;
	const char *mailer = mailer_advice(executable);

	if (place->tally.verdict[VERDICT_PLAINTEXT] > 0)
		return plaintext_advice(place);
	if (limits[LIMIT_SERVER] > limits[LIMIT_CLIENT] &&
	    report_worst(&place->tally) >= VERDICT_REFUSED)
		return server_advice(place, floor, supports);
	if (place->language != LANGUAGE_OTHER)
		return fill_in(language_advice[place->language], floor);
	if (mailer)
		return fill_in(mailer, floor);
	return fill_in("Set the least TLS version that the program accepts to {.}, in its own "
		       "settings or its code.",
		       floor);
}
