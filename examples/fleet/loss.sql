-- How many records each host wrote and how many arrived, per day, by the records themselves: the
-- last eight digits of event.id count what its process wrote, the others name the process, and what
-- is missing between two that are there is lost. `tlswitness report --from` shows the same. A host
-- without a row for today has fallen silent.
SELECT
	`host.name` AS host,
	day,
	sum(arrived + lost) AS written_records,
	sum(arrived) AS arrived_records,
	sum(lost) AS lost_records
FROM tlswitness.tls_delivered
GROUP BY host, day
ORDER BY host, day
