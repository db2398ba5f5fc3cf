-- How many records each host wrote and how many arrived, per day, by the records themselves: the
-- last eight digits of event.id count what its process wrote, the others name the process. A row
-- with lost > 0 is one to look into; a host without a row for today has fallen silent.
SELECT
	`host.name` AS host,
	day,
	sum(written) AS written_records,
	sum(arrived) AS arrived_records,
	written_records - arrived_records AS lost
FROM (
	SELECT
		`host.name`,
		max(day) AS day,
		substring(`event.id`, 1, 24) AS process,
		max(reinterpretAsUInt32(reverse(unhex(substring(`event.id`, 25, 8))))) AS written,
		uniqExact(`event.id`) AS arrived
	FROM tlswitness.tls
	WHERE length(`event.id`) = 32
	GROUP BY `host.name`, process
)
GROUP BY host, day
ORDER BY host, day
