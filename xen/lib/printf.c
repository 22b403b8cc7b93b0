/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snprintf for the freestanding build: %d %i %u %x %X %o %c %s %p %%, flags '-', '0', '+', '#', width and precision
 * (also '*'), lengths hh h l ll z t j. A conversion it does not know is printed as it stands, so that a mistake shows.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct out {
	char *buf;
	size_t size, len;
};

struct spec {
	bool left, zero, plus, alt, upper;
	int width, precision; /* precision -1: none */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const struct spec *s, const char *prefix, const char *text, int n)
{
	int np = (int)strlen(prefix);
	int zeros = s->precision > n ? s->precision - n : 0;
	int pad = s->width - n - np - zeros;

	if (pad > 0 && s->zero && !s->left && s->precision < 0) {
		zeros = pad;
		pad = 0;
	}
	for (; !s->left && pad > 0; pad--)
		put(o, ' ');
	while (*prefix)
		put(o, *prefix++);
	while (zeros-- > 0)
		put(o, '0');
	while (n-- > 0)
		put(o, *text++);
	for (; pad > 0; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned base, bool negative)
{
	const char *digits = s->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *prefix = negative ? "-" : s->plus ? "+" : s->alt && base == 16 ? "0x" : "";
	char buf[24];
	int n = 0;

	do
		buf[sizeof(buf) - 1 - n++] = digits[v % base];
	while (v /= base);
	put_padded(o, s, prefix, buf + sizeof(buf) - n, n);
}

static uint64_t fetch(va_list *ap, int longs, bool is_signed)
{
	if (longs > 0)
		return va_arg(*ap, uint64_t);
	if (is_signed) {
		int v = va_arg(*ap, int);
		return (uint64_t)(int64_t)(longs == -2 ? (signed char)v : longs == -1 ? (short)v : v);
	}
	unsigned v = va_arg(*ap, unsigned);
	return longs == -2 ? (uint8_t)v : longs == -1 ? (uint16_t)v : v;
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	struct spec plain = *s;

	if (!text)
		text = "(null)";
	int n = (int)(s->precision >= 0 ? strnlen(text, (size_t)s->precision) : strlen(text));
	plain.zero = false;
	plain.precision = -1;
	put_padded(o, &plain, "", text, n);
}

static const char *parse_number(const char *f, int *out, va_list *ap)
{
	if (*f == '*') {
		*out = va_arg(*ap, int);
		return f + 1;
	}
	for (*out = 0; *f >= '0' && *f <= '9'; f++)
		*out = *out * 10 + (*f - '0');
	return f;
}

static const char *parse_spec(const char *f, struct spec *s, int *longs, va_list *ap)
{
	*s = (struct spec){ .precision = -1 };
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else if (*f == '+')
			s->plus = true;
		else if (*f == '#')
			s->alt = true;
		else
			break;
	}
	f = parse_number(f, &s->width, ap);
	if (*f == '.')
		f = parse_number(f + 1, &s->precision, ap);
	for (*longs = 0;; f++) {
		if (*f == 'l' || *f == 'z' || *f == 't' || *f == 'j')
			++*longs;
		else if (*f == 'h')
			--*longs;
		else
			return f;
	}
}

static void convert(struct out *o, char c, struct spec *s, int longs, va_list *ap)
{
	char ch;
	uint64_t v;

	switch (c) {
	case 'd':
	case 'i':
		v = fetch(ap, longs, true);
		put_number(o, s, (int64_t)v < 0 ? -v : v, 10, (int64_t)v < 0);
		break;
	case 'u':
		put_number(o, s, fetch(ap, longs, false), 10, false);
		break;
	case 'X':
		s->upper = true;
		/* fall through */
	case 'x':
		put_number(o, s, fetch(ap, longs, false), 16, false);
		break;
	case 'o':
		put_number(o, s, fetch(ap, longs, false), 8, false);
		break;
	case 'p':
		s->alt = true;
		put_number(o, s, (uint64_t)va_arg(*ap, void *), 16, false);
		break;
	case 'c':
		ch = (char)va_arg(*ap, int);
		s->precision = -1;
		put_padded(o, s, "", &ch, 1);
		break;
	case 's':
		put_string(o, s, va_arg(*ap, const char *));
		break;
	case '%':
		put(o, '%');
		break;
	default:
		put(o, '%');
		put(o, c);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap0)
{
	struct out o = { buf, size, 0 };
	va_list ap;

	va_copy(ap, ap0);
	for (; *fmt; fmt++) {
		struct spec s;
		int longs;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s, &longs, &ap);
		if (!*fmt)
			break;
		convert(&o, *fmt, &s, longs, &ap);
	}
	va_end(ap);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
