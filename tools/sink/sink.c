/*
 * `tlswitness sink`: a small SMTP server to rehearse against. Here are its
 * options; sink_server.c listens, sink_connection.c serves.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"
#include "tools/base/options.h"
#include "tools/sink/sink.h"
#include "tools/sink/sink_connection.h"
#include "tools/sink/sink_server.h"
#include "tools/sink/sink_tls.h"

static const char help[] =
	"Usage: tlswitness sink --tls MIN[..MAX] [OPTION...]\n"
	"\n"
	"A small SMTP server to rehearse against: takes mail, throws it away, and writes\n"
	"its own entry of each connection as a line of JSON. It prints `listening on\n"
	"ADDRESS:PORT` when it is ready, and ends on SIGINT or SIGTERM.\n"
	"\n"
	"  --tls=MIN[..MAX]       the versions to negotiate, and no others: 1.0, 1.1,\n"
	"                         1.2, 1.3, a range such as 1.0..1.2, or `none` for a\n"
	"                         server without TLS; the default is 1.2..1.3\n"
	"  --implicit             TLS from the first byte, not after STARTTLS\n"
	"  --mix                  each connection gets one of the versions, at random\n"
	"  --tickets=on|off       whether sessions can be resumed; the default is on\n"
	"  --require-tls          530 to AUTH and MAIL before STARTTLS\n"
	"  --auth=WHEN            offers AUTH PLAIN and LOGIN, takes any credentials:\n"
	"                         `always` (the default), `tls-only` or `never`\n"
	"\n"
	"Where it listens, and how long:\n"
	"  --address=ADDRESS      the default is 127.0.0.1\n"
	"  --port=N               the default is 0: any that is free\n"
	"  --connections=N        end after N connections\n"
	"  --timeout=SECONDS      of silence that end a connection; the default is 60\n"
	"  --log=FILE             append the entries to FILE, not to stdout (`-`)\n"
	"  --quiet                no closing line on stderr\n"
	"\n"
	"Its certificate, made in memory if none is given:\n"
	"  --cert=FILE --key=FILE PEM\n"
	"  --name=NAME            one more host name or address in the one that is made\n"
	"  --cert-out=FILE        write it to FILE, for clients to trust\n"
	"\n"
	"What can go wrong on the way:\n"
	"  --strip-starttls       STARTTLS is not offered, and answered with 502\n"
	"  --starttls-reply=CODE  STARTTLS is offered, and answered with CODE: 454\n"
	"  --cut=greeting         closes instead of greeting\n"
	"  --cut=server-hello     closes after the first half of its ServerHello\n"
	"  --delay-ms=N           waits before the greeting\n"
	"\n"
	"  -h, --help             this\n";

enum option_id {
	OPTION_TLS = 256,
	OPTION_IMPLICIT,
	OPTION_MIX,
	OPTION_TICKETS,
	OPTION_REQUIRE_TLS,
	OPTION_AUTH,
	OPTION_ADDRESS,
	OPTION_PORT,
	OPTION_CONNECTIONS,
	OPTION_TIMEOUT,
	OPTION_LOG,
	OPTION_QUIET,
	OPTION_CERT,
	OPTION_KEY,
	OPTION_NAME,
	OPTION_CERT_OUT,
	OPTION_STRIP_STARTTLS,
	OPTION_STARTTLS_REPLY,
	OPTION_CUT,
	OPTION_DELAY_MS,
};

static const struct option long_options[] = {
	{"tls", required_argument, NULL, OPTION_TLS},
	{"implicit", no_argument, NULL, OPTION_IMPLICIT},
	{"mix", no_argument, NULL, OPTION_MIX},
	{"tickets", required_argument, NULL, OPTION_TICKETS},
	{"require-tls", no_argument, NULL, OPTION_REQUIRE_TLS},
	{"auth", optional_argument, NULL, OPTION_AUTH},
	{"address", required_argument, NULL, OPTION_ADDRESS},
	{"port", required_argument, NULL, OPTION_PORT},
	{"connections", required_argument, NULL, OPTION_CONNECTIONS},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"log", required_argument, NULL, OPTION_LOG},
	{"quiet", no_argument, NULL, OPTION_QUIET},
	{"cert", required_argument, NULL, OPTION_CERT},
	{"key", required_argument, NULL, OPTION_KEY},
	{"name", required_argument, NULL, OPTION_NAME},
	{"cert-out", required_argument, NULL, OPTION_CERT_OUT},
	{"strip-starttls", no_argument, NULL, OPTION_STRIP_STARTTLS},
	{"starttls-reply", required_argument, NULL, OPTION_STARTTLS_REPLY},
	{"cut", required_argument, NULL, OPTION_CUT},
	{"delay-ms", required_argument, NULL, OPTION_DELAY_MS},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

/* Settings that are made of several options, before they are known to fit together. */
struct options {
	struct sink_settings settings;
	bool no_tls;
	bool strip_starttls;
	bool help;
};

static bool parse_tls(struct options *options, const char *value)
{
	char min[sizeof("1.0")] = "";
	const char *range = strstr(value, "..");
	size_t length = range != NULL ? (size_t)(range - value) : strlen(value);

	if (strcmp(value, "none") == 0) {
		options->no_tls = true;
		return true;
	}
	options->no_tls = false;
	if (length < sizeof(min))
		(void)snprintf(min, sizeof(min), "%.*s", (int)length, value);
	options->settings.min = sink_version_from_name(min);
	options->settings.max =
		range != NULL ? sink_version_from_name(range + 2) : options->settings.min;
	if (options->settings.min == 0 || options->settings.max == 0) {
		complain("'%s' is no version of TLS; --tls takes 1.0, 1.1, 1.2 or 1.3, a range "
			 "such as 1.0..1.2, or none",
			 value);
		return false;
	}
	if (options->settings.min > options->settings.max) {
		complain("'%s' is an empty range; say --tls=%s..%s", value, range + 2, min);
		return false;
	}
	return true;
}

static bool parse_auth(struct sink_settings *settings, const char *value)
{
	if (value == NULL || strcmp(value, "always") == 0) {
		settings->service.auth = AUTH_ALWAYS;
	} else if (strcmp(value, "tls-only") == 0) {
		settings->service.auth = AUTH_TLS_ONLY;
	} else if (strcmp(value, "never") == 0) {
		settings->service.auth = AUTH_NEVER;
	} else {
		complain("--auth=%s is unknown; it takes always, tls-only or never", value);
		return false;
	}
	return true;
}

static bool parse_cut(struct sink_settings *settings, const char *value)
{
	if (strcmp(value, "greeting") == 0) {
		settings->cut = SINK_CUT_GREETING;
	} else if (strcmp(value, "server-hello") == 0) {
		settings->cut = SINK_CUT_SERVER_HELLO;
	} else {
		complain("--cut=%s is unknown; it takes greeting or server-hello", value);
		return false;
	}
	return true;
}

static bool parse_tickets(struct sink_settings *settings, const char *value)
{
	if (strcmp(value, "on") != 0 && strcmp(value, "off") != 0) {
		complain("--tickets=%s is unknown; it takes on or off", value);
		return false;
	}
	settings->tickets = strcmp(value, "on") == 0;
	return true;
}

static bool parse_name(struct sink_settings *settings, const char *value)
{
	/* A certificate's names are ASCII (RFC 5280, 4.2.1.6). */
	for (const char *byte = value; *byte != '\0'; byte++) {
		if (*byte <= ' ' || *byte > '~') {
			complain("'%s' is no host name; --name takes one in ASCII (xn--...)",
				 value);
			return false;
		}
	}
	if (*value == '\0' || settings->names_count == SINK_NAMES_MAX) {
		complain("--name takes a host name or an address, up to %d times", SINK_NAMES_MAX);
		return false;
	}
	settings->names[settings->names_count++] = value;
	return true;
}

static bool parse_numeric_option(struct sink_settings *settings, int id, const char *value)
{
	unsigned long number = 0;

	switch (id) {
	case OPTION_PORT:
		if (!parse_number_option("port", value, 0, UINT16_MAX, &number))
			return false;
		settings->port = (uint16_t)number;
		return true;
	case OPTION_CONNECTIONS:
		return parse_number_option("connections", value, 1, 1000000000,
					   &settings->connections);
	case OPTION_TIMEOUT:
		if (!parse_number_option("timeout", value, 1, 86400, &number))
			return false;
		settings->timeout_s = (unsigned)number;
		return true;
	case OPTION_STARTTLS_REPLY:
		if (!parse_number_option("starttls-reply", value, 400, 599, &number))
			return false;
		settings->service.starttls_reply = (unsigned)number;
		return true;
	default: /* OPTION_DELAY_MS */
		if (!parse_number_option("delay-ms", value, 0, 3600000, &number))
			return false;
		settings->delay_ms = (unsigned)number;
		return true;
	}
}

/* The options whose value is kept as it came, and those without one. */
static void parse_plain_option(struct options *options, int id, const char *value)
{
	struct sink_settings *settings = &options->settings;

	switch (id) {
	case OPTION_IMPLICIT:
		settings->implicit = true;
		break;
	case OPTION_MIX:
		settings->mix = true;
		break;
	case OPTION_REQUIRE_TLS:
		settings->service.require_tls = true;
		break;
	case OPTION_ADDRESS:
		settings->address = value;
		break;
	case OPTION_LOG:
		settings->log = value;
		break;
	case OPTION_QUIET:
		settings->quiet = true;
		break;
	case OPTION_CERT:
		settings->certificate = value;
		break;
	case OPTION_KEY:
		settings->key = value;
		break;
	case OPTION_CERT_OUT:
		settings->certificate_out = value;
		break;
	case OPTION_STRIP_STARTTLS:
		options->strip_starttls = true;
		break;
	default: /* 'h' */
		options->help = true;
	}
}

static bool parse_option(struct options *options, int id, const char *value)
{
	switch (id) {
	case OPTION_TLS:
		return parse_tls(options, value);
	case OPTION_AUTH:
		return parse_auth(&options->settings, value);
	case OPTION_CUT:
		return parse_cut(&options->settings, value);
	case OPTION_TICKETS:
		return parse_tickets(&options->settings, value);
	case OPTION_NAME:
		return parse_name(&options->settings, value);
	case OPTION_PORT:
	case OPTION_CONNECTIONS:
	case OPTION_TIMEOUT:
	case OPTION_STARTTLS_REPLY:
	case OPTION_DELAY_MS:
		return parse_numeric_option(&options->settings, id, value);
	default:
		parse_plain_option(options, id, value);
		return true;
	}
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	bool begun = false;
	int id = 0;

	while ((id = options_next(argc, argv, "h", long_options, NULL, &begun)) != OPTIONS_END) {
		if (id == OPTIONS_BAD || !parse_option(options, id, optarg))
			return false;
	}
	if (optind < argc && !options->help) {
		complain("'%s' is no option of sink; `tlswitness sink --help` lists them",
			 argv[optind]);
		return false;
	}
	return true;
}

/* Two options that contradict each other would make an entry that nobody can read. */
static bool fit_together(const struct options *options)
{
	const struct sink_settings *settings = &options->settings;
	const struct smtp_service *service = &settings->service;
	const struct {
		bool contradiction;
		const char *sentence;
	} rules[] = {
		{options->no_tls && settings->implicit,
		 "--implicit needs TLS; give --tls a version, not none"},
		{options->no_tls && (service->require_tls || service->starttls_reply != 220),
		 "--require-tls and --starttls-reply need TLS; give --tls a version, not none"},
		{options->no_tls && settings->cut == SINK_CUT_SERVER_HELLO,
		 "--cut=server-hello needs TLS; give --tls a version, not none"},
		{settings->implicit && (options->strip_starttls || service->require_tls ||
					service->starttls_reply != 220),
		 "with --implicit there is no STARTTLS; leave out --strip-starttls, "
		 "--starttls-reply and --require-tls, or --implicit"},
		{options->strip_starttls && service->starttls_reply != 220,
		 "--strip-starttls answers STARTTLS with 502; leave out --starttls-reply"},
		{settings->mix && (options->no_tls || settings->min == settings->max),
		 "--mix needs several versions; give --tls a range such as 1.0..1.3"},
		{(settings->certificate == NULL) != (settings->key == NULL),
		 "--cert and --key go together; give both or neither"},
		{settings->certificate != NULL && settings->names_count > 0,
		 "--name is for a certificate that is made; leave out --cert, or --name"},
		{options->no_tls &&
			 (settings->certificate != NULL || settings->certificate_out != NULL ||
			  settings->names_count > 0),
		 "a server without TLS has no certificate; give --tls a version, not none"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rules[i].contradiction) {
			complain("%s", rules[i].sentence);
			return false;
		}
	}
	return true;
}

static void settle(struct options *options)
{
	struct sink_settings *settings = &options->settings;

	if (options->no_tls) {
		settings->min = 0;
		settings->max = 0;
	}
	/* Seen from the client, a stripped offer and a server without TLS are the same. */
	if (options->no_tls || options->strip_starttls) {
		settings->service.starttls_offered = false;
		settings->service.starttls_reply = 502;
	}
}

static bool announce(const struct sink_settings *settings, uint16_t port)
{
	bool is_ipv6 = strchr(settings->address, ':') != NULL;

	if (printf(is_ipv6 ? "listening on [%s]:%u\n" : "listening on %s:%u\n", settings->address,
		   port) > 0 &&
	    fflush(stdout) == 0)
		return true;
	complain("stdout can't be written (%s), which names the port; redirect it to where it can",
		 strerror(errno));
	return false;
}

/* What the sink needs besides its listener; each complains for itself. */
static bool make_ready(struct sink *sink)
{
	const struct sink_settings *settings = &sink->settings;

	if (settings->max != 0) {
		sink->context = sink_tls_context(settings);
		if (sink->context == NULL)
			return false;
	}
	sink->log = sink_connection_log_open(settings->log);
	if (sink->log == NULL) {
		complain("the log %s can't be written (%s); give --log a file that can",
			 settings->log, strerror(errno));
		return false;
	}
	return true;
}

/* Listens first, so that a port that is taken is said before any file is written. */
static int serve(struct sink *sink)
{
	uint16_t port = 0;

	int listener = sink_server_listen(&sink->settings, &port);
	if (listener < 0)
		return 2;
	if (!make_ready(sink) || !announce(&sink->settings, port)) {
		close(listener);
		return 2;
	}
	bool ok = sink_server_run(sink, listener);
	if (!sink->settings.quiet)
		sink_connection_log_summarize(sink->log);
	/* Both must be asked: the log is closed whatever the server said. */
	ok = sink_connection_log_close(sink->log) && ok;
	return ok ? 0 : 1;
}

int command_sink(int argc, char **argv)
{
	struct options options = {
		.settings =
			{
				.min = TLS1_2_VERSION,
				.max = TLS1_3_VERSION,
				.tickets = true,
				.service = {.starttls_offered = true, .starttls_reply = 220},
				.address = "127.0.0.1",
				.timeout_s = 60,
				.log = "-",
			},
	};

	if (!parse_options(argc, argv, &options))
		return 2;
	if (options.help) {
		(void)fputs(help, stdout);
		return 0;
	}
	if (!fit_together(&options))
		return 2;
	settle(&options);
	struct sink sink = {.settings = options.settings};
	sink_server_prepare();
	int status = serve(&sink);
	SSL_CTX_free(sink.context);
	return status;
}
