-- The engine's tables, on every shard alike: ClickHouse from 18.16 (Debian 12) to today's.
-- `{cluster}` is the name of the cluster in the server's configuration, `{days}` how long a record
-- is kept as it came: 90. After that what the report needs of it is kept, by the hour.
--
-- The columns are the record's keys. A key that a record does not have is empty, or 0; lists and
-- booleans are kept as they were written. tests/fleet/make-schema writes this file.

CREATE DATABASE IF NOT EXISTS tlswitness;

-- Doubles, since shippers deliver at least once, have one event.id and become one row; FINAL does
-- it for what has not been merged yet. What two hosts call alike stays two.
CREATE TABLE IF NOT EXISTS tlswitness.local (
	day Date,
	hour String,
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
ORDER BY (hour, `event.id`, `host.name`);

-- One record has one shard, however often it comes; so have all records of one process, which is
-- what the first 24 digits stand for.
CREATE TABLE IF NOT EXISTS tlswitness.tls AS tlswitness.local
ENGINE = Distributed('{cluster}', 'tlswitness', 'local', sipHash64(substring(`event.id`, 1, 24)));

-- What `load` writes to: who sent the record, by certificate, and its line. host.name is the
-- sender, whatever the line says.
CREATE TABLE IF NOT EXISTS tlswitness.received (sender String, line String) ENGINE = Null;

CREATE MATERIALIZED VIEW IF NOT EXISTS tlswitness.arriving TO tlswitness.tls AS
SELECT
	toDateOrZero(substring(visitParamExtractString(line, '@timestamp'), 1, 10)) AS day,
	substring(visitParamExtractString(line, '@timestamp'), 1, 13) AS hour,
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
FROM tlswitness.received
WHERE (
	match(visitParamExtractString(line, '@timestamp'),
		'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$')
	AND visitParamExtractString(line, 'event.action') != ''
	AND abs(toInt64(toRelativeDayNum(toDateOrZero(
		substring(visitParamExtractString(line, '@timestamp'), 1, 10))))
		- toInt64(toRelativeDayNum(today()))) <= {days}
);

-- What is no record, what came so late that its hour is closed for good, and what is as far in the
-- future: kept, not counted.
CREATE TABLE IF NOT EXISTS tlswitness.apart (arrived DateTime, sender String, line String)
ENGINE = MergeTree PARTITION BY toYYYYMM(arrived) ORDER BY (sender, arrived);

CREATE MATERIALIZED VIEW IF NOT EXISTS tlswitness.setting_apart TO tlswitness.apart AS
SELECT now() AS arrived, sender, line
FROM tlswitness.received
WHERE NOT (
	match(visitParamExtractString(line, '@timestamp'),
		'^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$')
	AND visitParamExtractString(line, 'event.action') != ''
	AND abs(toInt64(toRelativeDayNum(toDateOrZero(
		substring(visitParamExtractString(line, '@timestamp'), 1, 10))))
		- toInt64(toRelativeDayNum(today()))) <= {days}
);

-- ---- by the hour ----
--
-- `nightly` makes one row of all records that are alike within an hour, and `report` reads those
-- where it can. How many rows have come for an hour, doubles too, is in local_touched, and how
-- many had when it was rolled up in local_rolled: while they differ, the hour is open, and
-- `report` reads its records. A roll-up is in force from its row in local_rolled on, whole.
CREATE TABLE IF NOT EXISTS tlswitness.local_touched (hour String, rows UInt64)
ENGINE = SummingMergeTree ORDER BY hour;

CREATE MATERIALIZED VIEW IF NOT EXISTS tlswitness.touching TO tlswitness.local_touched AS
SELECT hour, count() AS rows
FROM tlswitness.local
GROUP BY hour;

CREATE TABLE IF NOT EXISTS tlswitness.local_rolled (hour String, rows UInt64, generation UInt64)
ENGINE = ReplacingMergeTree(generation) ORDER BY hour;

CREATE VIEW IF NOT EXISTS tlswitness.local_open_hours AS
SELECT hour, touched AS rows
FROM (
	SELECT hour, sum(came) AS touched, argMax(rolled, made) AS seen
	FROM (
		SELECT hour, rows AS came, 0 AS rolled, 0 AS made FROM tlswitness.local_touched
		UNION ALL
		SELECT hour, 0 AS came, rows AS rolled, generation AS made FROM tlswitness.local_rolled
	)
	GROUP BY hour
)
WHERE touched > seen;

CREATE TABLE IF NOT EXISTS tlswitness.tls_open_hours (hour String, rows UInt64)
ENGINE = Distributed('{cluster}', 'tlswitness', 'local_open_hours');

CREATE TABLE IF NOT EXISTS tlswitness.local_hours (
	hour String,
	generation UInt64,
	`@timestamp` String,
	`event.action` String,
	`event.outcome` String,
	`event.reason` String,
	`network.protocol` String,
	`network.forwarded_ip` String,
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
	`process.executable` String,
	`user.id` String,
	`process.parent.executable` String,
	`tlswitness.script` String,
	`tlswitness.caller` String,
	`code.file.path` String,
	`code.line.number` UInt64,
	`code.function.name` String,
	`tlswitness.setting` String,
	`tlswitness.setting_ids` String,
	`tlswitness.lost` UInt64,
	`tlswitness.count` UInt64,
	`tlswitness.first` String
) ENGINE = MergeTree
PARTITION BY substring(hour, 1, 4)
ORDER BY hour;

CREATE TABLE IF NOT EXISTS tlswitness.tls_hours AS tlswitness.local_hours
ENGINE = Distributed('{cluster}', 'tlswitness', 'local_hours');

-- The hours before `until` have no records any more: `nightly` dropped them.
CREATE TABLE IF NOT EXISTS tlswitness.local_dropped (until String)
ENGINE = MergeTree ORDER BY until;

CREATE TABLE IF NOT EXISTS tlswitness.tls_dropped (until String)
ENGINE = Distributed('{cluster}', 'tlswitness', 'local_dropped');

-- ---- what arrived, and what did not ----
--
-- The last eight digits of event.id count what a process wrote: what is missing between two that
-- are there is lost. By the day; the last record of the day before is where a day begins.
CREATE TABLE IF NOT EXISTS tlswitness.local_days (
	day Date,
	generation UInt64,
	`host.name` String,
	arrived UInt64,
	lost UInt64
) ENGINE = MergeTree PARTITION BY toYear(day) ORDER BY (day, `host.name`);

CREATE TABLE IF NOT EXISTS tlswitness.local_counted_days (day Date, rows UInt64, generation UInt64)
ENGINE = ReplacingMergeTree(generation) ORDER BY day;

-- A day is open while an hour of it, or of the day before, is not as it was when it was counted.
CREATE VIEW IF NOT EXISTS tlswitness.local_open_days AS
SELECT day, touched AS rows
FROM (
	SELECT day, sum(came) AS touched, argMax(counted, made) AS seen, max(own) AS has_records
	FROM (
		SELECT toDateOrZero(substring(hour, 1, 10)) AS day, rows AS came, 0 AS counted, 0 AS made, 1 AS own
		FROM tlswitness.local_touched
		UNION ALL
		SELECT toDateOrZero(substring(hour, 1, 10)) + 1 AS day, rows AS came, 0 AS counted, 0 AS made, 0 AS own
		FROM tlswitness.local_touched
		UNION ALL
		SELECT day, 0 AS came, rows AS counted, generation AS made, 0 AS own FROM tlswitness.local_counted_days
	)
	GROUP BY day
)
WHERE has_records = 1 AND touched > seen;

CREATE VIEW IF NOT EXISTS tlswitness.local_delivered_now AS
SELECT
	on_day AS day,
	`host.name`,
	sum(records) AS arrived,
	toUInt64(sum(if(numbered = 0, 0,
		greatest(toInt64(highest) - toInt64(if(before > 0 AND before < lowest, before, lowest - 1))
			- toInt64(numbered), 0)))) AS lost
FROM (
	SELECT
		day + later AS on_day,
		`host.name`,
		substring(`event.id`, 1, 24) AS process,
		sum(if(later = 0, `tlswitness.count`, 0)) AS records,
		sum(if(later = 0 AND length(`event.id`) = 32, 1, 0)) AS numbered,
		min(if(later = 0, number, 4294967295)) AS lowest,
		max(if(later = 0, number, 0)) AS highest,
		max(if(later = 1, number, 0)) AS before
	FROM (
		SELECT
			day,
			`host.name`,
			`event.id`,
			`tlswitness.count`,
			reinterpretAsUInt32(reverse(unhex(substring(`event.id`, 25, 8)))) AS number,
			arrayJoin([0, 1]) AS later
		FROM tlswitness.local FINAL
		WHERE day IN (
			SELECT day FROM tlswitness.local_open_days
			UNION ALL
			SELECT day - 1 AS day FROM tlswitness.local_open_days
		)
	)
	GROUP BY on_day, `host.name`, process
)
WHERE on_day IN (SELECT day FROM tlswitness.local_open_days)
GROUP BY on_day, `host.name`
HAVING arrived > 0;

CREATE VIEW IF NOT EXISTS tlswitness.local_delivered AS
SELECT day, `host.name`, arrived, lost
FROM tlswitness.local_delivered_now
UNION ALL
SELECT day, `host.name`, arrived, lost
FROM tlswitness.local_days
WHERE day NOT IN (SELECT day FROM tlswitness.local_open_days)
	AND (day, generation) IN (
		SELECT day, max(generation) FROM tlswitness.local_counted_days GROUP BY day
	);

CREATE TABLE IF NOT EXISTS tlswitness.tls_delivered (
	day Date,
	`host.name` String,
	arrived UInt64,
	lost UInt64
) ENGINE = Distributed('{cluster}', 'tlswitness', 'local_delivered');
