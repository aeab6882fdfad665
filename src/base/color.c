#include "base/color.h"

#include <math.h>

static const struct {
	const char *name;
	uint32_t rgb;
} names[] = {
	{ "aliceblue", 0xf0f8ff }, { "antiquewhite", 0xfaebd7 }, { "aqua", 0x00ffff },
	{ "aquamarine", 0x7fffd4 }, { "azure", 0xf0ffff }, { "beige", 0xf5f5dc }, { "bisque", 0xffe4c4 },
	{ "black", 0x000000 }, { "blanchedalmond", 0xffebcd }, { "blue", 0x0000ff },
	{ "blueviolet", 0x8a2be2 }, { "brown", 0xa52a2a }, { "burlywood", 0xdeb887 },
	{ "cadetblue", 0x5f9ea0 }, { "chartreuse", 0x7fff00 }, { "chocolate", 0xd2691e },
	{ "coral", 0xff7f50 }, { "cornflowerblue", 0x6495ed }, { "cornsilk", 0xfff8dc },
	{ "crimson", 0xdc143c }, { "cyan", 0x00ffff }, { "darkblue", 0x00008b }, { "darkcyan", 0x008b8b },
	{ "darkgoldenrod", 0xb8860b }, { "darkgray", 0xa9a9a9 }, { "darkgreen", 0x006400 },
	{ "darkgrey", 0xa9a9a9 }, { "darkkhaki", 0xbdb76b }, { "darkmagenta", 0x8b008b },
	{ "darkolivegreen", 0x556b2f }, { "darkorange", 0xff8c00 }, { "darkorchid", 0x9932cc },
	{ "darkred", 0x8b0000 }, { "darksalmon", 0xe9967a }, { "darkseagreen", 0x8fbc8f },
	{ "darkslateblue", 0x483d8b }, { "darkslategray", 0x2f4f4f }, { "darkslategrey", 0x2f4f4f },
	{ "darkturquoise", 0x00ced1 }, { "darkviolet", 0x9400d3 }, { "deeppink", 0xff1493 },
	{ "deepskyblue", 0x00bfff }, { "dimgray", 0x696969 }, { "dimgrey", 0x696969 },
	{ "dodgerblue", 0x1e90ff }, { "firebrick", 0xb22222 }, { "floralwhite", 0xfffaf0 },
	{ "forestgreen", 0x228b22 }, { "fuchsia", 0xff00ff }, { "gainsboro", 0xdcdcdc },
	{ "ghostwhite", 0xf8f8ff }, { "gold", 0xffd700 }, { "goldenrod", 0xdaa520 }, { "gray", 0x808080 },
	{ "green", 0x008000 }, { "greenyellow", 0xadff2f }, { "grey", 0x808080 },
	{ "honeydew", 0xf0fff0 }, { "hotpink", 0xff69b4 }, { "indianred", 0xcd5c5c },
	{ "indigo", 0x4b0082 }, { "ivory", 0xfffff0 }, { "khaki", 0xf0e68c }, { "lavender", 0xe6e6fa },
	{ "lavenderblush", 0xfff0f5 }, { "lawngreen", 0x7cfc00 }, { "lemonchiffon", 0xfffacd },
	{ "lightblue", 0xadd8e6 }, { "lightcoral", 0xf08080 }, { "lightcyan", 0xe0ffff },
	{ "lightgoldenrodyellow", 0xfafad2 }, { "lightgray", 0xd3d3d3 }, { "lightgreen", 0x90ee90 },
	{ "lightgrey", 0xd3d3d3 }, { "lightpink", 0xffb6c1 }, { "lightsalmon", 0xffa07a },
	{ "lightseagreen", 0x20b2aa }, { "lightskyblue", 0x87cefa }, { "lightslategray", 0x778899 },
	{ "lightslategrey", 0x778899 }, { "lightsteelblue", 0xb0c4de }, { "lightyellow", 0xffffe0 },
	{ "lime", 0x00ff00 }, { "limegreen", 0x32cd32 }, { "linen", 0xfaf0e6 }, { "magenta", 0xff00ff },
	{ "maroon", 0x800000 }, { "mediumaquamarine", 0x66cdaa }, { "mediumblue", 0x0000cd },
	{ "mediumorchid", 0xba55d3 }, { "mediumpurple", 0x9370db }, { "mediumseagreen", 0x3cb371 },
	{ "mediumslateblue", 0x7b68ee }, { "mediumspringgreen", 0x00fa9a },
	{ "mediumturquoise", 0x48d1cc }, { "mediumvioletred", 0xc71585 }, { "midnightblue", 0x191970 },
	{ "mintcream", 0xf5fffa }, { "mistyrose", 0xffe4e1 }, { "moccasin", 0xffe4b5 },
	{ "navajowhite", 0xffdead }, { "navy", 0x000080 }, { "oldlace", 0xfdf5e6 }, { "olive", 0x808000 },
	{ "olivedrab", 0x6b8e23 }, { "orange", 0xffa500 }, { "orangered", 0xff4500 },
	{ "orchid", 0xda70d6 }, { "palegoldenrod", 0xeee8aa }, { "palegreen", 0x98fb98 },
	{ "paleturquoise", 0xafeeee }, { "palevioletred", 0xdb7093 }, { "papayawhip", 0xffefd5 },
	{ "peachpuff", 0xffdab9 }, { "peru", 0xcd853f }, { "pink", 0xffc0cb }, { "plum", 0xdda0dd },
	{ "powderblue", 0xb0e0e6 }, { "purple", 0x800080 }, { "rebeccapurple", 0x663399 },
	{ "red", 0xff0000 }, { "rosybrown", 0xbc8f8f }, { "royalblue", 0x4169e1 },
	{ "saddlebrown", 0x8b4513 }, { "salmon", 0xfa8072 }, { "sandybrown", 0xf4a460 },
	{ "seagreen", 0x2e8b57 }, { "seashell", 0xfff5ee }, { "sienna", 0xa0522d },
	{ "silver", 0xc0c0c0 }, { "skyblue", 0x87ceeb }, { "slateblue", 0x6a5acd },
	{ "slategray", 0x708090 }, { "slategrey", 0x708090 }, { "snow", 0xfffafa },
	{ "springgreen", 0x00ff7f }, { "steelblue", 0x4682b4 }, { "tan", 0xd2b48c }, { "teal", 0x008080 },
	{ "thistle", 0xd8bfd8 }, { "tomato", 0xff6347 }, { "turquoise", 0x40e0d0 },
	{ "violet", 0xee82ee }, { "wheat", 0xf5deb3 }, { "white", 0xffffff }, { "whitesmoke", 0xf5f5f5 },
	{ "yellow", 0xffff00 }, { "yellowgreen", 0x9acd32 },
};

static struct color of_rgb(uint32_t rgb)
{
	return (struct color){ (uint8_t)(rgb >> 16), (uint8_t)(rgb >> 8), (uint8_t)rgb, 255 };
}

static bool parse_name(str s, struct color *ret)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!str_eq_nocase(s, str_of_cstr(names[i].name)))
			continue;
		*ret = of_rgb(names[i].rgb);
		return true;
	}
	return false;
}

static bool hex_digits(str s, uint8_t ret[8])
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i], lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			ret[i] = (uint8_t)(c - '0');
		else if (lower >= 'a' && lower <= 'f')
			ret[i] = (uint8_t)(lower - 'a' + 10);
		else
			return false;
	}
	return true;
}

static bool parse_hex(str s, struct color *ret)
{
	bool is_short = s.n == 3 || s.n == 4;
	uint8_t d[8], v[4] = { 0, 0, 0, 255 };

	if ((!is_short && s.n != 6 && s.n != 8) || !hex_digits(s, d))
		return false;
	for (size_t i = 0; i < (is_short ? s.n : s.n / 2); i++)
		v[i] = (uint8_t)(is_short ? d[i] * 17 : d[2 * i] * 16 + d[2 * i + 1]);
	*ret = (struct color){ v[0], v[1], v[2], v[3] };
	return true;
}

/* ---- rgb() and hsl() ---- */

/* "12", "0.5", ".5", up to four digits on each side. */
static bool take_number(str *s, double *ret)
{
	double value = 0, step = 1;
	size_t digits = 0;
	bool behind = false;

	for (; s->n > 0; *s = str_skip(*s, 1)) {
		char c = s->p[0];

		if (c == '.' && !behind) {
			behind = true;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		if (++digits > 8)
			return false;
		if (behind)
			step /= 10;
		value = behind ? value + (c - '0') * step : value * 10 + (c - '0');
	}
	*ret = value;
	return digits > 0;
}

struct numbers {
	double v[4];
	bool percent[4];
	size_t n;
};

/* What stands between the brackets: numbers between commas, blanks and one '/'. */
static bool take_numbers(str s, struct numbers *ret)
{
	for (s = str_trim(s); s.n > 0 && ret->n < 4; ret->n++) {
		if (!take_number(&s, &ret->v[ret->n]))
			return false;
		ret->percent[ret->n] = str_starts(s, STR("%"));
		if (ret->percent[ret->n])
			s = str_skip(s, 1);
		else if (str_starts(s, STR("deg")) && ret->n == 0)
			s = str_skip(s, 3);
		if (s.n > 0 && s.p[0] != ' ' && s.p[0] != ',' && s.p[0] != '/')
			return false;
		s = str_trim(s);
		if (str_starts(s, STR(",")) || (str_starts(s, STR("/")) && ret->n == 2))
			s = str_skip(s, 1).n > 0 ? str_trim(str_skip(s, 1)) : (str){ ",", 1 };
	}
	return s.n == 0 && ret->n >= 3;
}

static uint8_t byte_of(double part)
{
	return (uint8_t)lround((part < 0 ? 0 : part > 1 ? 1 : part) * 255);
}

static bool take_alpha(const struct numbers *n, uint8_t *ret)
{
	double a = n->n < 4 ? 1 : n->percent[3] ? n->v[3] / 100 : n->v[3];

	*ret = byte_of(a);
	return a <= 1;
}

static bool parse_rgb(str s, struct color *ret)
{
	struct numbers n = { 0 };

	if (!take_numbers(s, &n) || !take_alpha(&n, &ret->a))
		return false;
	for (size_t i = 0; i < 3; i++) {
		if (n.v[i] > (n.percent[i] ? 100 : 255) || n.percent[i] != n.percent[0])
			return false;
		n.v[i] /= n.percent[i] ? 100 : 255;
	}
	ret->r = byte_of(n.v[0]);
	ret->g = byte_of(n.v[1]);
	ret->b = byte_of(n.v[2]);
	return true;
}

/* CSS Color 4, §7: one channel of a hue, saturation and lightness. */
static uint8_t hsl_channel(double offset, double h, double s, double l)
{
	double k = fmod(offset + h / 30, 12), a = s * fmin(l, 1 - l);

	return byte_of(l - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1)));
}

static bool parse_hsl(str s, struct color *ret)
{
	struct numbers n = { 0 };

	if (!take_numbers(s, &n) || !take_alpha(&n, &ret->a) || n.percent[0] || !n.percent[1] ||
	    !n.percent[2] || n.v[0] > 360 || n.v[1] > 100 || n.v[2] > 100)
		return false;
	ret->r = hsl_channel(0, n.v[0], n.v[1] / 100, n.v[2] / 100);
	ret->g = hsl_channel(8, n.v[0], n.v[1] / 100, n.v[2] / 100);
	ret->b = hsl_channel(4, n.v[0], n.v[1] / 100, n.v[2] / 100);
	return true;
}

bool color_parse(str text, struct color *ret)
{
	str name, inside;

	if (text.n > 64)
		return false;
	if (str_starts(text, STR("#")))
		return parse_hex(str_skip(text, 1), ret);
	if (!str_cut(text, '(', &name, &inside))
		return parse_name(text, ret);
	if (!str_ends(inside, STR(")")))
		return false;
	inside.n--;
	if (str_eq_nocase(name, STR("rgb")) || str_eq_nocase(name, STR("rgba")))
		return parse_rgb(inside, ret);
	if (str_eq_nocase(name, STR("hsl")) || str_eq_nocase(name, STR("hsla")))
		return parse_hsl(inside, ret);
	return false;
}

/* ---- what is made of them ---- */

static void write_byte(uint8_t v, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";

	buf_byte(out, hex[v >> 4]);
	buf_byte(out, hex[v & 15]);
}

void color_write(struct color c, struct buf *out)
{
	buf_byte(out, '#');
	write_byte(c.r, out);
	write_byte(c.g, out);
	write_byte(c.b, out);
	if (c.a != 255)
		write_byte(c.a, out);
}

static uint8_t blend(uint8_t a, uint8_t b, int b_of, int whole)
{
	return (uint8_t)((a * (whole - b_of) + b * b_of + whole / 2) / whole);
}

struct color color_over(struct color top, struct color ground)
{
	return (struct color){ blend(ground.r, top.r, top.a, 255), blend(ground.g, top.g, top.a, 255),
			       blend(ground.b, top.b, top.a, 255), 255 };
}

struct color color_mix(struct color a, struct color b, int percent_of_b)
{
	return (struct color){ blend(a.r, b.r, percent_of_b, 100), blend(a.g, b.g, percent_of_b, 100),
			       blend(a.b, b.b, percent_of_b, 100), 255 };
}

static double linear(uint8_t v)
{
	double part = v / 255.0;

	return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

static double luminance(struct color c)
{
	return 0.2126 * linear(c.r) + 0.7152 * linear(c.g) + 0.0722 * linear(c.b);
}

double color_contrast(struct color a, struct color b)
{
	double x = luminance(a), y = luminance(b);

	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}
