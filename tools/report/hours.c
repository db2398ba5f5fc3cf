/*
 * Knows numbers of hours; must not know records.
 */
#include "tools/report/hours.h"

#include "tools/base/table.h"

struct hour *hour_at(struct aggregate *aggregate, int64_t number)
{
	size_t before = aggregate->hour_numbers.count;
	size_t at = aggregate->last_hour;

	if (at < before && aggregate->hours[at].number == number)
		return &aggregate->hours[at];
	at = numbering_of(&aggregate->hour_numbers, &number);
	if (aggregate->hour_numbers.count > aggregate->hour_capacity) {
		aggregate->hour_capacity =
			aggregate->hour_capacity ? aggregate->hour_capacity * 2 : 64;
		aggregate->hours = table_resize(
			aggregate->hours, aggregate->hour_capacity * sizeof(aggregate->hours[0]));
	}
	if (aggregate->hour_numbers.count > before)
		aggregate->hours[at] = (struct hour){.number = number};
	aggregate->last_hour = at;
	return &aggregate->hours[at];
}
