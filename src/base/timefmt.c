#include "base/timefmt.h"

#include "base/clock.h"

#define YEAR_1_MS    ((int64_t)-62135596800000) /* 0001-01-01T00:00:00.000Z */
#define YEAR_9999_MS ((int64_t)253402300799999) /* 9999-12-31T23:59:59.999Z */

#define DAYS_400_YEARS 146097
#define DAYS_100_YEARS 36524
#define DAYS_4_YEARS   1461
#define DAYS_YEAR      365

static bool leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* `day` counts from 0001-01-01, which begins a 400-year cycle of the Gregorian calendar. */
static void date_of_day(int day, int *ret_year, int *ret_month, int *ret_day)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = day / DAYS_400_YEARS * 400 + 1;
	int centuries, years, month;

	day %= DAYS_400_YEARS;
	/* the last day of a cycle belongs to its fourth century, not to a fifth; so with years */
	centuries = day / DAYS_100_YEARS < 3 ? day / DAYS_100_YEARS : 3;
	day -= centuries * DAYS_100_YEARS;
	year += centuries * 100 + day / DAYS_4_YEARS * 4;
	day %= DAYS_4_YEARS;
	years = day / DAYS_YEAR < 3 ? day / DAYS_YEAR : 3;
	day -= years * DAYS_YEAR;
	year += years;
	for (month = 0; month < 11; month++) {
		int days = month_days[month] + (month == 1 && leap(year));
		if (day < days)
			break;
		day -= days;
	}
	*ret_year = year;
	*ret_month = month + 1;
	*ret_day = day + 1;
}

static void digits(char *to, int v, int width)
{
	for (int i = width; i-- > 0; v /= 10)
		to[i] = (char)('0' + v % 10);
}

void time_format(struct buf *out, int64_t ms)
{
	char text[TIME_TEXT_LEN] = "0000-00-00T00:00:00.000Z";
	int year, month, day, rest;

	if (ms < YEAR_1_MS)
		ms = YEAR_1_MS;
	if (ms > YEAR_9999_MS)
		ms = YEAR_9999_MS;
	ms -= YEAR_1_MS;
	date_of_day((int)(ms / MS_PER_DAY), &year, &month, &day);
	rest = (int)(ms % MS_PER_DAY);
	digits(text, year, 4);
	digits(text + 5, month, 2);
	digits(text + 8, day, 2);
	digits(text + 11, rest / 3600000, 2);
	digits(text + 14, rest / 60000 % 60, 2);
	digits(text + 17, rest / 1000 % 60, 2);
	digits(text + 20, rest % 1000, 3);
	buf_str(out, (str){ text, sizeof(text) });
}
