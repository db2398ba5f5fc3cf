// Usage: node check-counts.mjs TOOL DIRECTORY - holds the counts of `tlswitness report` against
// DuckDB's over one log, which it writes into DIRECTORY: by each key that --by has, and under
// each filter; and the records that --show shows under each. A line for each difference, and one
// at the end that says what was compared.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';

const [tool, directory] = process.argv.slice(2);
const log = `${directory}/counts.jsonl`;
const RECORDS = 3000;

// ---- the log: the same each time, and anything may be missing ----

let state = 1;
const draw = (below) => {
	state = (Math.imul(state, 1103515245) + 12345) >>> 0;
	return (state >>> 8) % below;
};
const some = (...values) => values[draw(values.length)];
const maybe = (value) => (draw(4) ? value : undefined);

const versions = ['1.0', '1.1', '1.2', '1.3', '3.0', undefined];
const actions = ['tls-handshake', 'tls-handshake', 'tls-handshake', 'plaintext-mail', 'smtp-session', 'protocol-setting', 'blind-spot', 'records-lost', 'what-comes-later'];

function record(number) {
	const program = draw(9);
	const to = draw(12);
	return {
		'@timestamp': new Date(Date.UTC(2026, 10, 1, 0, 0, number * 311, draw(1000))).toISOString(),
		'event.id': draw(50) ? String(number).padStart(24, '0') : undefined,
		'event.action': actions[draw(actions.length)],
		'event.reason': maybe(some('starttls-not-offered', 'certificate-expired', 'a, "b" and \u00e9')),
		'destination.ip': maybe(`198.51.100.${to}`),
		'destination.port': maybe(some(25, 465, 587)),
		'destination.domain': maybe(`mx${to % 3}.mail.example${to}.co.uk`),
		'tls.version': versions[draw(versions.length)],
		'tls.cipher': maybe(some('TLS_AES_256_GCM_SHA384', 'TLS_RSA_WITH_AES_128_CBC_SHA')),
		'tls.curve': maybe(some('x25519', 'secp256r1')),
		'tls.server.subject': maybe(`CN=mx${to}`),
		'tls.server.issuer': maybe("CN=R11,O=Let's Encrypt,C=US"),
		'tls.server.not_after': maybe(`2027-01-${10 + to}T12:00:00Z`),
		'tlswitness.peer_certificate': maybe(some('verified', 'chain-only', 'unchecked', 'failed')),
		'tlswitness.verdict': maybe(some('ok', 'at-risk', 'below-floor', 'plaintext', 'refused', 'failed', 'no-mail')),
		'tlswitness.mode': maybe(some('audit', 'enforce')),
		'tlswitness.floor': maybe(some('1.2', '1.3')),
		'tlswitness.exception': maybe('to *.example3.co.uk'),
		'tlswitness.tls_mode': maybe(some('starttls', 'implicit', 'none')),
		'tlswitness.witness': maybe(some(['openssl', 'wire'], ['gnutls'], ['wire'])),
		'tlswitness.offered': maybe(some(['1.0', '1.2', '1.3'], ['1.2'])),
		'tlswitness.limited_by': maybe(some('none', 'client', 'server')),
		'tlswitness.library': maybe(some('OpenSSL 3.0.19', 'GnuTLS 3.7.9')),
		'service.name': maybe(some('shop', 'news')),
		'host.name': maybe(`web${draw(4)}`),
		'process.executable': maybe(some('/usr/bin/python3.11', '/usr/bin/curl')),
		'user.id': maybe(some('0', '33')),
		'process.parent.executable': maybe('/usr/sbin/cron'),
		'tlswitness.caller': maybe('/srv/job.sh:3'),
		'tlswitness.script': maybe(`/srv/app${program}/send${program % 3}.py`),
		'code.file.path': maybe(`/srv/app${program}/mail.py`),
		'code.line.number': maybe(7 + (program % 5)),
		'code.function.name': maybe(some('send', 'deliver')),
		'tlswitness.count': draw(20) ? undefined : 2 + draw(9),
	};
}

const lines = [];
for (let i = 0; i < RECORDS; i++) {
	const line = JSON.stringify(record(i));
	lines.push(line);
	// As shippers do: what has an id may come twice.
	if (line.includes('"event.id"') && draw(30) === 0) lines.push(line);
}
writeFileSync(log, lines.join('\n') + '\n');

// ---- DuckDB's view of it ----

const text = Object.keys({ ...record(0), ...Object.fromEntries(lines.slice(0, 200).flatMap((l) => Object.entries(JSON.parse(l)))) });
const columns = text.map((name) => `'${name}': 'VARCHAR'`).join(', ');
const list = (name) => `coalesce(regexp_replace("${name}", '[\\[\\]" ]', '', 'g'), '')`;
const field = (name) => `coalesce("${name}", '')`;
const version = `CASE WHEN "event.action" <> 'tls-handshake' THEN 'clear' WHEN "tls.version" IS NULL THEN 'unknown'
	WHEN "tls.version" = '3.0' THEN 'ssl3.0' ELSE "tls.version" END`;
const destination = `coalesce("destination.domain", "destination.ip", '')`;
const keys = {
	program: `coalesce("tlswitness.script", "process.executable", '')`,
	destination,
	version,
	verdict: `coalesce("tlswitness.verdict", 'other')`,
	place: `concat(coalesce("code.file.path", ''), ':' || "code.line.number",
		CASE WHEN "code.function.name" IS NULL THEN ''
			WHEN "code.file.path" IS NULL AND "code.line.number" IS NULL THEN "code.function.name"
			ELSE ' ' || "code.function.name" END)`,
	host: field('host.name'),
	service: field('service.name'),
	user: field('user.id'),
	hour: `replace("@timestamp"[1:13], 'T', ' ') || ':00'`,
	day: `"@timestamp"[1:10]`,
	cipher: field('tls.cipher'),
	group: field('tls.curve'),
	reason: field('event.reason'),
	port: field('destination.port'),
	mode: field('tlswitness.mode'),
	floor: field('tlswitness.floor'),
	exception: field('tlswitness.exception'),
	tls_mode: field('tlswitness.tls_mode'),
	certificate: field('tlswitness.peer_certificate'),
	subject: field('tls.server.subject'),
	issuer: field('tls.server.issuer'),
	not_after: field('tls.server.not_after'),
	library: field('tlswitness.library'),
	witness: list('tlswitness.witness'),
	limited_by: field('tlswitness.limited_by'),
	offered: list('tlswitness.offered'),
	executable: field('process.executable'),
	parent: field('process.parent.executable'),
	caller: field('tlswitness.caller'),
	// No name here has another public suffix.
	domain: `CASE WHEN "destination.domain" IS NULL THEN ${destination}
		ELSE regexp_extract("destination.domain", '[^.]+\\.co\\.uk$') END`,
};
const filters = [
	[['--since', '2026-11-10T00:00:00Z'], `"@timestamp" >= '2026-11-10'`],
	[['--until', '2026-11-10T00:00:00Z'], `"@timestamp" < '2026-11-10'`],
	[['--since', '2026-11-05T03:00:00.5Z', '--until', '2026-11-06T00:00:00Z'],
		`"@timestamp" >= '2026-11-05T03:00:00.5' AND "@timestamp" < '2026-11-06'`],
	[['--program', 'send1.py'], `"tlswitness.script" GLOB '*/send1.py'`],
	[['--program', 'curl', '--program', '/srv/app2/*'],
		`("process.executable" = '/usr/bin/curl' OR "tlswitness.script" GLOB '/srv/app2/*')`],
	[['--to', 'MX1.*.CO.UK'], `"destination.domain" LIKE 'mx1.%.co.uk'`],
	[['--to', '198.51.100.?'], `"destination.ip" GLOB '198.51.100.?'`],
	[['--service', 's*'], `"service.name" = 'shop'`],
	[['--host', 'web[12]'], `"host.name" IN ('web1', 'web2')`],
	[['--verdict', 'below-floor,plaintext'], `"tlswitness.verdict" IN ('below-floor', 'plaintext')`],
	[['--where', 'cipher=TLS_AES_256_GCM_SHA384', '--where', 'port=25', '--where', 'port=587'],
		`"tls.cipher" = 'TLS_AES_256_GCM_SHA384' AND "destination.port" IN ('25', '587')`],
	[['--where', 'host=-'], `"host.name" IS NULL`],
	[['--where', 'place=/srv/app1/mail.py:8 send'],
		`"code.file.path" = '/srv/app1/mail.py' AND "code.line.number" = '8' AND "code.function.name" = 'send'`],
	[['--where', 'witness=openssl,wire', '--verdict', 'ok', '--host', 'web3'],
		`${list('tlswitness.witness')} = 'openssl,wire' AND "tlswitness.verdict" = 'ok' AND "host.name" = 'web3'`],
];

const connection = await (await DuckDBInstance.create(':memory:')).connect();
await connection.run(`CREATE TABLE log AS
	SELECT *, row_number() OVER () AS line FROM read_json('${log}', format = 'newline_delimited', columns = {${columns}})`);
// What has an id counts once; what has none counts as often as it is there.
await connection.run(`CREATE VIEW connections AS SELECT * FROM log
	WHERE "event.action" IN ('tls-handshake', 'plaintext-mail', 'smtp-session')
	QUALIFY "event.id" IS NULL OR row_number() OVER (PARTITION BY "event.id" ORDER BY line) = 1`);

// ---- the comparison ----

// RFC 4180.
function rows(csv) {
	const all = [];
	let row = [];
	for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
		row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
		if (end !== ',') {
			all.push(row);
			row = [];
		}
	}
	return all.slice(1);
}

let counted = 0;
async function compare(by, options, condition) {
	const names = by.split(',');
	const csv = execFileSync(tool, ['report', '--csv', '--by', by, ...options, log], { encoding: 'utf8', maxBuffer: 1 << 26 });
	const ours = rows(csv).map((row) => [...row.slice(0, names.length), row[names.length]].join('|')).sort();
	const reader = await connection.runAndReadAll(`SELECT ${names.map((name) => keys[name]).join(', ')},
		sum(coalesce("tlswitness.count"::BIGINT, 1))::VARCHAR FROM connections WHERE ${condition} GROUP BY ALL`);
	const theirs = reader.getRows().map((row) => row.join('|')).sort();
	counted += theirs.length;
	const known = new Set(ours);
	const expected = new Set(theirs);
	for (const row of ours.filter((row) => !expected.has(row)).slice(0, 5))
		console.log(`${[by, ...options].join(' ')}: only the report has ${row}`);
	for (const row of theirs.filter((row) => !known.has(row)).slice(0, 5))
		console.log(`${[by, ...options].join(' ')}: only DuckDB has ${row}`);
}

// The records behind a row: each line, as often as it counts.
let shown = 0;
async function compareShown(options, condition) {
	const text = execFileSync(tool, ['report', '--show', '--json', '--where', 'version=1.2', '--where', 'version=1.0', ...options, log],
		{ encoding: 'utf8', maxBuffer: 1 << 26 });
	const ours = text.split('\n').slice(0, -1).sort();
	const reader = await connection.runAndReadAll(`SELECT line FROM connections WHERE ${keys.version} IN ('1.2', '1.0') AND ${condition}`);
	const theirs = reader.getRows().map(([line]) => lines[Number(line) - 1]).sort();
	shown += theirs.length;
	const at = theirs.findIndex((line, i) => line !== ours[i]);
	if (at >= 0 || ours.length !== theirs.length)
		console.log(`--show ${options.join(' ')}: ${ours.length} records, DuckDB has ${theirs.length}; the first that differs: ${theirs[at]}`);
}

for (const key of Object.keys(keys)) await compare(key, [], 'true');
for (const [options, condition] of filters) await compare('version,verdict', options, condition);
for (const [options, condition] of [[[], 'true'], ...filters]) await compareShown(options, condition);
await compare('program,destination,version,verdict', [], 'true');
await compare(Object.keys(keys).join(','), [], 'true');
const help = execFileSync(tool, ['report', '--help'], { encoding: 'utf8' });
const named = help.match(/group by any of these[^:]*:([^(]*)\(/)[1].split(',').map((name) => name.trim());
for (const name of named) if (!keys[name]) console.log(`${name}: nothing to compare with`);
console.log(`compared ${Object.keys(keys).length} keys and ${filters.length} filters; ${counted > 500 ? 'many' : 'few'} groups, ${shown > 500 ? 'many' : 'few'} records`);
