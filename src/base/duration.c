#include "base/duration.h"

#include "base/clock.h"

#define TEXT_MAX     100
#define YEAR_MS      (36525 * (MS_PER_DAY / 100)) /* 365.25 days */
#define DURATION_MAX (1000 * YEAR_MS)

struct unit {
	str name;
	int64_t factor;
};

#define U(text, factor) { STR_INIT(text), (factor) }
static const struct unit duration_units[] = {
	U("", 1),
	U("ms", 1), U("msec", 1), U("msecs", 1), U("millisecond", 1), U("milliseconds", 1),
	U("s", MS_PER_S), U("sec", MS_PER_S), U("secs", MS_PER_S), U("second", MS_PER_S),
	U("seconds", MS_PER_S),
	U("m", MS_PER_MIN), U("min", MS_PER_MIN), U("mins", MS_PER_MIN), U("minute", MS_PER_MIN),
	U("minutes", MS_PER_MIN),
	U("h", MS_PER_HOUR), U("hr", MS_PER_HOUR), U("hrs", MS_PER_HOUR), U("hour", MS_PER_HOUR),
	U("hours", MS_PER_HOUR),
	U("d", MS_PER_DAY), U("day", MS_PER_DAY), U("days", MS_PER_DAY),
	U("w", 7 * MS_PER_DAY), U("week", 7 * MS_PER_DAY), U("weeks", 7 * MS_PER_DAY),
	U("y", YEAR_MS), U("yr", YEAR_MS), U("yrs", YEAR_MS), U("year", YEAR_MS), U("years", YEAR_MS),
};
static const struct unit size_units[] = {
	U("", 1), U("B", 1),
	U("KiB", (int64_t)1 << 10), U("K", (int64_t)1 << 10),
	U("MiB", (int64_t)1 << 20), U("M", (int64_t)1 << 20),
	U("GiB", (int64_t)1 << 30), U("G", (int64_t)1 << 30),
};
#undef U
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static str take_digits(str *rest)
{
	size_t n = 0;

	while (n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
		n++;
	str digits = { rest->p, n };
	*rest = str_skip(*rest, n);
	return digits;
}

/* digits (an integer, possibly none) * factor, or false past INT64_MAX. */
static bool whole_part(str digits, int64_t factor, int64_t *ret)
{
	int64_t v = 0;

	for (size_t i = 0; i < digits.n; i++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digits.p[i] - '0', &v))
			return false;
	}
	return !__builtin_mul_overflow(v, factor, ret);
}

/* 0.digits * factor, rounded down exactly: Horner's rule from the last digit. */
static int64_t fraction_part(str digits, int64_t factor)
{
	int64_t v = 0;

	for (size_t i = digits.n; i > 0; i--)
		v = ((digits.p[i - 1] - '0') * factor + v) / 10;
	return v;
}

static const struct unit *unit_find(str name, const struct unit *units, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq_nocase(name, units[i].name))
			return &units[i];
	}
	return NULL;
}

static bool quantity_parse(str text, const struct unit *units, size_t n_units, int64_t max,
			   int64_t *ret)
{
	str rest = text, whole, fraction = STR_NONE;
	const struct unit *unit;
	int64_t v;

	if (text.n > TEXT_MAX)
		return false;
	whole = take_digits(&rest);
	if (rest.n > 0 && rest.p[0] == '.') {
		rest = str_skip(rest, 1);
		fraction = take_digits(&rest);
		if (fraction.n == 0)
			return false;
	}
	if (whole.n == 0 && fraction.n == 0)
		return false;
	unit = unit_find(str_trim(rest), units, n_units);
	if (unit == NULL || !whole_part(whole, unit->factor, &v) ||
	    __builtin_add_overflow(v, fraction_part(fraction, unit->factor), &v) || v > max)
		return false;
	*ret = v;
	return true;
}

bool duration_parse(str text, int64_t *ret_ms)
{
	return quantity_parse(text, duration_units, N_OF(duration_units), DURATION_MAX, ret_ms);
}

bool size_parse(str text, int64_t *ret_bytes)
{
	return quantity_parse(text, size_units, N_OF(size_units), INT64_MAX, ret_bytes);
}

/* The largest of the units that divides v. units: largest first, the last with factor 1. */
static void format_exact(struct buf *out, int64_t v, const struct unit *units)
{
	while (v == 0 || v % units->factor != 0) {
		if (units->factor == 1)
			break;
		units++;
	}
	buf_i64(out, v / units->factor);
	buf_str(out, units->name);
}

void duration_format(struct buf *out, int64_t ms)
{
	static const struct unit units[] = {
		{ STR_INIT("d"), MS_PER_DAY }, { STR_INIT("h"), MS_PER_HOUR }, { STR_INIT("m"), MS_PER_MIN },
		{ STR_INIT("s"), MS_PER_S }, { STR_INIT("ms"), 1 },
	};

	if (ms == 0)
		buf_lit(out, "0s");
	else
		format_exact(out, ms, units);
}

void size_format(struct buf *out, int64_t bytes)
{
	static const struct unit units[] = {
		{ STR_INIT("GiB"), (int64_t)1 << 30 }, { STR_INIT("MiB"), (int64_t)1 << 20 },
		{ STR_INIT("KiB"), (int64_t)1 << 10 }, { STR_INIT("B"), 1 },
	};

	format_exact(out, bytes, units);
}
