-- The engine's tables, on every shard alike: ClickHouse from 18.16 (Debian 12) to today's.
-- `{cluster}` is the name of the cluster in the server's configuration.
--
-- The columns are the record's keys. A key that a record does not have is empty, or 0; lists and
-- booleans are kept as they were written. tests/fleet/make-schema writes this file.

CREATE DATABASE IF NOT EXISTS tlswitness;

-- Doubles, since shippers deliver at least once, have one event.id and become one row; FINAL does
-- it for what has not been merged yet.
CREATE TABLE IF NOT EXISTS tlswitness.local (
	day Date,
	-- Who the record says it is of, where that is not who sent it: kept, and marked.
	claimed_host String,
	`@timestamp` String,
	`ecs.version` String,
	`event.id` String,
	`event.action` String,
	`event.outcome` String,
	`event.reason` String,
	`event.duration` UInt64,
	`network.protocol` String,
	`network.forwarded_ip` String,
	`source.ip` String,
	`source.port` UInt64,
	`destination.ip` String,
	`destination.port` UInt64,
	`destination.domain` String,
	`tlswitness.proxy` String,
	`tls.established` String,
	`tls.version` String,
	`tls.version_protocol` String,
	`tls.cipher` String,
	`tls.curve` String,
	`tls.resumed` String,
	`tls.client.server_name` String,
	`tls.server.subject` String,
	`tls.server.issuer` String,
	`tls.server.not_after` String,
	`tlswitness.peer_certificate` String,
	`tlswitness.verdict` String,
	`tlswitness.mode` String,
	`tlswitness.floor` String,
	`tlswitness.exception` String,
	`tlswitness.tls_mode` String,
	`tlswitness.witness` String,
	`tlswitness.conflict` String,
	`tlswitness.offered` String,
	`tlswitness.configured.min` String,
	`tlswitness.configured.max` String,
	`tlswitness.limited_by` String,
	`tlswitness.server_supports` String,
	`tlswitness.library` String,
	`service.name` String,
	`host.name` String,
	`process.pid` UInt64,
	`process.executable` String,
	`user.id` String,
	`process.parent.pid` UInt64,
	`process.parent.executable` String,
	`tlswitness.script` String,
	`tlswitness.caller` String,
	`code.file.path` String,
	`code.line.number` UInt64,
	`code.function.name` String,
	`code.stacktrace` String,
	`tlswitness.setting` String,
	`tlswitness.setting_ids` String,
	`tlswitness.lost` UInt64,
	`tlswitness.count` UInt64,
	`tlswitness.first` String
) ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, `event.id`, `host.name`);

-- One record has one shard, however often it comes.
CREATE TABLE IF NOT EXISTS tlswitness.tls AS tlswitness.local
ENGINE = Distributed('{cluster}', 'tlswitness', 'local', sipHash64(`event.id`));

-- What the collector writes to: who sent the record, by certificate, and its line. host.name is
-- the sender, whatever the line says.
CREATE TABLE IF NOT EXISTS tlswitness.received (sender String, line String) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS tlswitness.arriving TO tlswitness.tls AS
SELECT
	toDateOrZero(substring(visitParamExtractString(line, '@timestamp'), 1, 10)) AS day,
	if(visitParamExtractString(line, 'host.name') = sender, '',
		visitParamExtractString(line, 'host.name')) AS claimed_host,
	visitParamExtractString(line, '@timestamp') AS `@timestamp`,
	visitParamExtractString(line, 'ecs.version') AS `ecs.version`,
	visitParamExtractString(line, 'event.id') AS `event.id`,
	visitParamExtractString(line, 'event.action') AS `event.action`,
	visitParamExtractString(line, 'event.outcome') AS `event.outcome`,
	visitParamExtractString(line, 'event.reason') AS `event.reason`,
	visitParamExtractUInt(line, 'event.duration') AS `event.duration`,
	visitParamExtractString(line, 'network.protocol') AS `network.protocol`,
	visitParamExtractString(line, 'network.forwarded_ip') AS `network.forwarded_ip`,
	visitParamExtractString(line, 'source.ip') AS `source.ip`,
	visitParamExtractUInt(line, 'source.port') AS `source.port`,
	visitParamExtractString(line, 'destination.ip') AS `destination.ip`,
	visitParamExtractUInt(line, 'destination.port') AS `destination.port`,
	visitParamExtractString(line, 'destination.domain') AS `destination.domain`,
	visitParamExtractString(line, 'tlswitness.proxy') AS `tlswitness.proxy`,
	visitParamExtractRaw(line, 'tls.established') AS `tls.established`,
	visitParamExtractString(line, 'tls.version') AS `tls.version`,
	visitParamExtractString(line, 'tls.version_protocol') AS `tls.version_protocol`,
	visitParamExtractString(line, 'tls.cipher') AS `tls.cipher`,
	visitParamExtractString(line, 'tls.curve') AS `tls.curve`,
	visitParamExtractRaw(line, 'tls.resumed') AS `tls.resumed`,
	visitParamExtractString(line, 'tls.client.server_name') AS `tls.client.server_name`,
	visitParamExtractString(line, 'tls.server.subject') AS `tls.server.subject`,
	visitParamExtractString(line, 'tls.server.issuer') AS `tls.server.issuer`,
	visitParamExtractString(line, 'tls.server.not_after') AS `tls.server.not_after`,
	visitParamExtractString(line, 'tlswitness.peer_certificate') AS `tlswitness.peer_certificate`,
	visitParamExtractString(line, 'tlswitness.verdict') AS `tlswitness.verdict`,
	visitParamExtractString(line, 'tlswitness.mode') AS `tlswitness.mode`,
	visitParamExtractString(line, 'tlswitness.floor') AS `tlswitness.floor`,
	visitParamExtractString(line, 'tlswitness.exception') AS `tlswitness.exception`,
	visitParamExtractString(line, 'tlswitness.tls_mode') AS `tlswitness.tls_mode`,
	visitParamExtractRaw(line, 'tlswitness.witness') AS `tlswitness.witness`,
	visitParamExtractString(line, 'tlswitness.conflict') AS `tlswitness.conflict`,
	visitParamExtractRaw(line, 'tlswitness.offered') AS `tlswitness.offered`,
	visitParamExtractString(line, 'tlswitness.configured.min') AS `tlswitness.configured.min`,
	visitParamExtractString(line, 'tlswitness.configured.max') AS `tlswitness.configured.max`,
	visitParamExtractString(line, 'tlswitness.limited_by') AS `tlswitness.limited_by`,
	visitParamExtractString(line, 'tlswitness.server_supports') AS `tlswitness.server_supports`,
	visitParamExtractString(line, 'tlswitness.library') AS `tlswitness.library`,
	visitParamExtractString(line, 'service.name') AS `service.name`,
	sender AS `host.name`,
	visitParamExtractUInt(line, 'process.pid') AS `process.pid`,
	visitParamExtractString(line, 'process.executable') AS `process.executable`,
	visitParamExtractString(line, 'user.id') AS `user.id`,
	visitParamExtractUInt(line, 'process.parent.pid') AS `process.parent.pid`,
	visitParamExtractString(line, 'process.parent.executable') AS `process.parent.executable`,
	visitParamExtractString(line, 'tlswitness.script') AS `tlswitness.script`,
	visitParamExtractString(line, 'tlswitness.caller') AS `tlswitness.caller`,
	visitParamExtractString(line, 'code.file.path') AS `code.file.path`,
	visitParamExtractUInt(line, 'code.line.number') AS `code.line.number`,
	visitParamExtractString(line, 'code.function.name') AS `code.function.name`,
	visitParamExtractString(line, 'code.stacktrace') AS `code.stacktrace`,
	visitParamExtractString(line, 'tlswitness.setting') AS `tlswitness.setting`,
	visitParamExtractString(line, 'tlswitness.setting_ids') AS `tlswitness.setting_ids`,
	visitParamExtractUInt(line, 'tlswitness.lost') AS `tlswitness.lost`,
	if(visitParamHas(line, 'tlswitness.count'), visitParamExtractUInt(line, 'tlswitness.count'), 1) AS `tlswitness.count`,
	if(visitParamHas(line, 'tlswitness.first'), visitParamExtractString(line, 'tlswitness.first'), visitParamExtractString(line, '@timestamp')) AS `tlswitness.first`
FROM tlswitness.received;
