/*
 * `tlswitness probe`: what TLS a mail server really accepts. Here are its options; probe_run.c
 * connects, probe_text.c and probe_json.c say what came of it.
 */
#include "tools/probe/probe.h"

#include <getopt.h>
#include <locale.h>
#include <stdlib.h>

#include "shim/record/tls_names.h"
#include "tools/base/options.h"
#include "tools/base/put.h"
#include "tools/base/table.h"
#include "tools/command.h"
#include "tools/probe/probe_certificate.h"
#include "tools/probe/probe_compare.h"
#include "tools/probe/probe_dane.h"
#include "tools/probe/probe_dns.h"
#include "tools/probe/probe_mta_sts.h"
#include "tools/probe/probe_promise.h"
#include "tools/probe/probe_render.h"
#include "tools/probe/probe_run.h"
#include "tools/probe/probe_targets.h"
#include "tools/probe/probe_tls.h"

static const char help[] =
	"Usage: tlswitness probe [OPTION...] HOST[:PORT]...\n"
	"       tlswitness probe [OPTION...] --mx DOMAIN...\n"
	"       tlswitness probe [OPTION...] --ses REGION\n"
	"\n"
	"What a mail server accepts: SSL 3.0 and TLS 1.0 to 1.3, one connection for each,\n"
	"to one address one after another. A refusal is the server's: what OpenSSL here\n"
	"would not offer is offered by a ClientHello of our own. No mail is sent.\n"
	"\n"
	"Whom to ask:\n"
	"  --mx               the mail exchangers of these domains, all addresses, in\n"
	"                     order of preference\n"
	"  --dane             with the TLSA records, DNSSEC-validated: do they match?\n"
	"  --mta-sts          with the domain's MTA-STS policy: do the hosts satisfy it?\n"
	"  --ses REGION       Amazon SES there, its five ports\n"
	"  --port N           of hosts that name none; the default is 25\n"
	"  -4, -6             the IPv4, or the IPv6 addresses alone\n"
	"\n"
	"How:\n"
	"  --starttls, --implicit\n"
	"                     TLS after STARTTLS, or from the first byte; the default is by\n"
	"                     port: 465 and 2465 are implicit\n"
	"  --floor VERSION    what is below it is not to be accepted; the default is 1.2\n"
	"  --delay SECONDS    between two connections to one address, such as 0.5; the\n"
	"                     default is 0. Where a server answers 421, try 5\n"
	"  --timeout SECONDS  for each step of a connection; the default is 30\n"
	"  --parallel N       addresses at once; the default is 256\n"
	"  --helo NAME        the name to greet with; the default is the address\n"
	"  --ca-file FILE     PEM: whom to trust; the default is the system's choice\n"
	"  --resolver ADDRESS[:PORT]\n"
	"                     the DNS server; the default is the system's\n"
	"  --trust-anchor FILE\n"
	"                     of DNSSEC; the default is the root's\n"
	"\n"
	"What comes of it:\n"
	"  --json             one line of JSON for each host, port and address\n"
	"  --compare LOG      beside what applications here negotiated with that server\n"
	"  -h, --help         this\n"
	"\n"
	"Exit status: 0 if nothing below the floor was accepted; 1 if something was, or a\n"
	"promise of DANE or MTA-STS is broken; 2 if something could not be tested.\n";

enum option_id {
	OPTION_MX = 256,
	OPTION_DANE,
	OPTION_MTA_STS,
	OPTION_SES,
	OPTION_PORT,
	OPTION_STARTTLS,
	OPTION_IMPLICIT,
	OPTION_FLOOR,
	OPTION_DELAY,
	OPTION_TIMEOUT,
	OPTION_PARALLEL,
	OPTION_HELO,
	OPTION_CA_FILE,
	OPTION_RESOLVER,
	OPTION_TRUST_ANCHOR,
	OPTION_JSON,
	OPTION_COMPARE,
};

static const struct option long_options[] = {
	{"mx", no_argument, NULL, OPTION_MX},
	{"dane", no_argument, NULL, OPTION_DANE},
	{"mta-sts", no_argument, NULL, OPTION_MTA_STS},
	{"ses", required_argument, NULL, OPTION_SES},
	{"port", required_argument, NULL, OPTION_PORT},
	{"starttls", no_argument, NULL, OPTION_STARTTLS},
	{"implicit", no_argument, NULL, OPTION_IMPLICIT},
	{"floor", required_argument, NULL, OPTION_FLOOR},
	{"delay", required_argument, NULL, OPTION_DELAY},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"parallel", required_argument, NULL, OPTION_PARALLEL},
	{"helo", required_argument, NULL, OPTION_HELO},
	{"ca-file", required_argument, NULL, OPTION_CA_FILE},
	{"resolver", required_argument, NULL, OPTION_RESOLVER},
	{"trust-anchor", required_argument, NULL, OPTION_TRUST_ANCHOR},
	{"json", no_argument, NULL, OPTION_JSON},
	{"compare", required_argument, NULL, OPTION_COMPARE},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct options {
	struct probe_settings settings;
	bool mx;
	const char *ses; /* NULL: not asked for */
	bool help;
};

/* Seconds with up to three digits behind a point, as milliseconds. */
static bool parse_seconds(const char *option, const char *text, unsigned lowest_ms,
			  unsigned *milliseconds)
{
	char *end = NULL;
	double seconds = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : -1;

	if (end == NULL || *end != '\0' || !(seconds >= 0 && seconds <= 3600) ||
	    seconds * 1000 < lowest_ms) {
		complain("--%s: '%s' is no number of seconds from %g to 3600", option, text,
			 lowest_ms / 1000.0);
		return false;
	}
	*milliseconds = (unsigned)(seconds * 1000 + 0.5);
	return true;
}

static bool parse_numeric_option(struct probe_settings *settings, int id, const char *value)
{
	unsigned long number = 0;

	switch (id) {
	case OPTION_PORT:
		if (!parse_number_option("port", value, 1, UINT16_MAX, &number))
			return false;
		settings->port = (uint16_t)number;
		return true;
	case OPTION_PARALLEL:
		if (!parse_number_option("parallel", value, 1, 10000, &number))
			return false;
		settings->parallel = (unsigned)number;
		return true;
	case OPTION_DELAY:
		return parse_seconds("delay", value, 0, &settings->delay_ms);
	case OPTION_TIMEOUT:
		return parse_seconds("timeout", value, 100, &settings->timeout_ms);
	default: /* OPTION_FLOOR */
		settings->floor = tls_version_from_name(value);
		if (settings->floor != 0)
			return true;
		complain("--floor: '%s' is no version of TLS; it takes 1.0, 1.1, 1.2 or 1.3",
			 value);
		return false;
	}
}

static bool parse_helo(struct probe_settings *settings, const char *value)
{
	/* It goes into a line of its own. */
	if (!probe_is_name(value)) {
		complain("--helo: '%s' is no host name", value);
		return false;
	}
	settings->helo = value;
	return true;
}

static void parse_plain_option(struct options *options, int id, const char *value)
{
	struct probe_settings *settings = &options->settings;

	switch (id) {
	case OPTION_MX:
		options->mx = true;
		break;
	case OPTION_DANE:
		settings->dane = true;
		break;
	case OPTION_MTA_STS:
		settings->mta_sts = true;
		break;
	case OPTION_SES:
		options->ses = value;
		break;
	case OPTION_STARTTLS:
		settings->tls_mode = PROBE_STARTTLS;
		break;
	case OPTION_IMPLICIT:
		settings->tls_mode = PROBE_IMPLICIT;
		break;
	case OPTION_CA_FILE:
		settings->ca_file = value;
		break;
	case OPTION_RESOLVER:
		settings->resolver = value;
		break;
	case OPTION_TRUST_ANCHOR:
		settings->trust_anchor = value;
		break;
	case OPTION_JSON:
		settings->json = true;
		break;
	case OPTION_COMPARE:
		settings->compare = value;
		break;
	case '4':
		settings->family = AF_INET;
		break;
	case '6':
		settings->family = AF_INET6;
		break;
	default: /* 'h' */
		options->help = true;
	}
}

static bool parse_option(struct options *options, int id, const char *value)
{
	switch (id) {
	case OPTION_PORT:
	case OPTION_PARALLEL:
	case OPTION_DELAY:
	case OPTION_TIMEOUT:
	case OPTION_FLOOR:
		return parse_numeric_option(&options->settings, id, value);
	case OPTION_HELO:
		return parse_helo(&options->settings, value);
	default:
		parse_plain_option(options, id, value);
		return true;
	}
}

static bool parse_options(int argc, char **argv, struct options *options)
{
	int id = 0;

	optind = 0;
	opterr = 0;
	while ((id = getopt_long(argc, argv, ":h46", long_options, NULL)) != -1) {
		if (id == ':') {
			complain("%s needs a value; `tlswitness probe --help` says which",
				 argv[optind - 1]);
			return false;
		}
		if (id == '?') {
			complain("'%s' is no option of probe; `tlswitness probe --help` lists "
				 "them",
				 argv[optind - 1]);
			return false;
		}
		if (!parse_option(options, id, optarg))
			return false;
	}
	return true;
}

static bool fit_together(const struct options *options, int argc)
{
	if (optind == argc && options->ses == NULL) {
		complain("whom to ask? Say HOST[:PORT], --mx DOMAIN or --ses REGION");
		return false;
	}
	if (options->settings.mta_sts && !options->mx) {
		complain("an MTA-STS policy is a domain's; say --mx DOMAIN with --mta-sts");
		return false;
	}
	return true;
}

/* ---- whom ---- */

static bool take_domains(struct probe *probe, char **names, size_t count)
{
	probe->domain = table_allocate((count + 1) * sizeof(probe->domain[0]));
	for (size_t i = 0; i < count; i++) {
		struct probe_domain *domain = &probe->domain[i];

		if (!probe_is_name(names[i])) {
			complain("'%s' is no domain; --mx takes names in ASCII (xn--...)",
				 names[i]);
			return false;
		}
		*domain = (struct probe_domain){.name = names[i]};
		probe->domain_count++;
	}
	return true;
}

static void look_up_domains(struct probe *probe, struct probe_dns *dns)
{
	for (size_t i = 0; i < probe->domain_count; i++) {
		probe_dns_mx(dns, &probe->domain[i]);
		if (probe->settings.mta_sts)
			probe_dns_policy(dns, &probe->domain[i]);
	}
	probe_dns_wait(dns);
}

static bool find_targets(struct probe *probe, const struct options *options, char **words,
			 size_t count, struct probe_requests *requests)
{
	struct probe_dns *dns = probe_dns_new(&probe->settings);
	bool ok = false;

	if (dns == NULL)
		return false;
	if (options->mx) {
		if (!take_domains(probe, words, count))
			goto out;
		look_up_domains(probe, dns);
		probe_requests_add_domains(requests, probe);
	}
	for (size_t i = 0; !options->mx && i < count; i++) {
		if (!probe_requests_add(requests, words[i], probe->settings.port))
			goto out;
	}
	if (options->ses != NULL && !probe_requests_add_ses(requests, options->ses))
		goto out;
	probe_requests_resolve(requests, probe, dns);
	ok = (!probe->settings.mta_sts || probe_mta_sts_fetch(probe, dns)) &&
	     (!probe->settings.dane || probe_dane_look_up(probe));
out:
	probe_dns_free(dns);
	return ok;
}

/* ---- the command ---- */

static int report(const struct probe *probe)
{
	if (probe->settings.json)
		probe_render_json(stdout, probe);
	else
		probe_render_text(stdout, probe);
	if (put_end(stdout))
		return probe_exit_status(probe);
	complain("stdout can't be written; redirect it to where it can");
	return 2;
}

static int ask(struct probe *probe, const struct options *options, char **words, size_t count)
{
	struct probe_requests requests = {.count = 0};
	struct probe_verifier verifier = {.store = NULL};
	/* Before any library begins OpenSSL with the configuration of this host. */
	SSL_CTX *context = probe_tls_context();
	int status = 2;

	if (context != NULL && probe_verifier_init(&verifier, probe->settings.ca_file) &&
	    find_targets(probe, options, words, count, &requests)) {
		probe_run(probe, context, &verifier);
		probe_promise_settle(probe);
		if (probe->settings.compare == NULL ||
		    probe_compare(probe, probe->settings.compare))
			status = report(probe);
	}
	probe_dane_free(probe);
	for (size_t i = 0; i < probe->target_count; i++) {
		probe_certificate_free(&probe->target[i].certificate);
		probe_compare_free(&probe->target[i].seen);
	}
	free(probe->target);
	free(probe->domain);
	probe_requests_free(&requests);
	probe_verifier_free(&verifier);
	SSL_CTX_free(context);
	return status;
}

int command_probe(int argc, char **argv)
{
	struct options options = {
		.settings = {.floor = 0x0303,
			     .family = AF_UNSPEC,
			     .port = 25,
			     .timeout_ms = 30000,
			     .parallel = 256},
	};

	(void)setlocale(LC_CTYPE, "");
	if (!parse_options(argc, argv, &options))
		return 2;
	if (options.help) {
		put_text(stdout, help);
		return put_end(stdout) ? 0 : 2;
	}
	if (!fit_together(&options, argc))
		return 2;
	struct probe probe = {.settings = options.settings};
	return ask(&probe, &options, argv + optind, (size_t)(argc - optind));
}
