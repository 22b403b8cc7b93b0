/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables and lines that fit the terminal they are printed on.
 *
 * A table collects its cells as text, so each column is as wide as what stands in it. Where all of them are wider than the terminal,
 * columns of a rank are left out, and the last line names them: nobody should take what he does not see for what is not there.
 * Into a pipe or a file everything is printed.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fit.h"

#define COLS_MAX 16
#define LINE_MAX_BYTES 4096

struct table {
	const struct column *cols;
	unsigned int ncols;
	int width[COLS_MAX];
	bool hidden[COLS_MAX];
	char **cell;
	size_t n, room;
};

int fit_width(FILE *f)
{
	struct winsize w;
	const char *columns = getenv("COLUMNS");

	if (isatty(fileno(f)) && !ioctl(fileno(f), TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	return columns && atoi(columns) > 0 ? atoi(columns) : LINE_MAX_BYTES;
}

/* => bytes of the text that go on a line of that width: up to the last blank, or all that there is room for */
static int piece(const char *s, int width)
{
	int n = strlen(s), at;

	if (n <= width)
		return n;
	for (at = width; at > (int)strspn(s, " ") && s[at] != ' '; at--)
		;
	return s[at] == ' ' ? at : width;
}

void fit_line(FILE *f, int indent, const char *fmt, ...)
{
	char text[LINE_MAX_BYTES], *line, *end;
	int width = fit_width(f), lead;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (indent > width / 2)
		indent = width / 2;
	for (line = text; line; line = end) {
		end = strchr(line, '\n');
		if (end)
			*end++ = 0;
		lead = 0;
		do {
			int n = piece(line, width - lead);

			fprintf(f, "%*s%.*s\n", lead, "", n, line);
			line += n + strspn(line + n, " ");
			lead = indent;
		} while (*line);
	}
}

static void out_of_memory(void)
{
	fprintf(stderr, "vfrctl: no memory\n");
	exit(1);
}

struct table *table_new(const struct column *cols, unsigned int n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (!t || n > COLS_MAX)
		out_of_memory();
	t->cols = cols;
	t->ncols = n;
	for (unsigned int i = 0; i < n; i++) {
		t->width[i] = strlen(cols[i].head);
		if (t->width[i] < cols[i].min)
			t->width[i] = cols[i].min;
	}
	return t;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	unsigned int col = t->n % t->ncols;
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (t->n == t->room) {
		t->room = t->room ? t->room * 2 : 256;
		t->cell = realloc(t->cell, t->room * sizeof(*t->cell));
	}
	if (n < 0 || !t->cell)
		out_of_memory();
	t->cell[t->n++] = s;
	if (t->width[col] < n)
		t->width[col] = n;
}

void table_count(struct table *t, unsigned long long n)
{
	static const char *const units[] = {"k", "M", "G", "T", "P", "E"};
	unsigned int u = 0;
	double v = n / 1e3;

	if (n < 100000000) {
		table_cell(t, "%llu", n);
		return;
	}
	for (; v >= 1000 && u < 5; u++)
		v /= 1000;
	table_cell(t, "%.4g%s", v, units[u]);
}

/* Between a column and the one before it: figures stand away from that mostly. */
static int gap(const struct table *t, unsigned int col)
{
	return t->cols[col].number ? 1 : 2;
}

static bool shown(const struct table *t, unsigned int col)
{
	return !t->hidden[col] && t->width[col];
}

static int total(const struct table *t)
{
	int sum = 0;

	for (unsigned int i = 0; i < t->ncols; i++)
		if (shown(t, i))
			sum += (sum ? gap(t, i) : 0) + t->width[i];
	return sum;
}

void table_fit(struct table *t, int width)
{
	while (total(t) > width) {
		unsigned int worst = t->ncols;

		for (unsigned int i = 0; i < t->ncols; i++)
			if (shown(t, i) && t->cols[i].rank && (worst == t->ncols || t->cols[i].rank > t->cols[worst].rank))
				worst = i;
		if (worst == t->ncols)
			return;
		t->hidden[worst] = true;
	}
}

bool table_line(const struct table *t, unsigned int row, char *out, size_t n)
{
	size_t len = 0;

	if (row > t->n / t->ncols)
		return false;
	*out = 0;
	for (unsigned int i = 0; i < t->ncols && len < n; i++) {
		const char *s = row ? t->cell[(row - 1) * t->ncols + i] : t->cols[i].head;

		if (shown(t, i))
			len += snprintf(out + len, n - len, "%*s%*s", len ? gap(t, i) : 0, "",
					t->cols[i].number ? t->width[i] : -t->width[i], s);
	}
	for (len = strlen(out); len && out[len - 1] == ' '; len--)
		out[len - 1] = 0;
	return true;
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cell[i]);
	free(t->cell);
	free(t);
}

static void tell_hidden(const struct table *t, int width)
{
	char names[256] = "";

	for (unsigned int i = 0; i < t->ncols; i++)
		if (t->hidden[i])
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", *names ? ", " : "", t->cols[i].head);
	if (*names)
		fit_line(stdout, 1, "(no room in %d columns for: %s)", width, names);
}

void table_print(struct table *t, const char *none)
{
	char line[LINE_MAX_BYTES];
	int width = fit_width(stdout);

	table_fit(t, width);
	if (t->n) {
		for (unsigned int row = 0; table_line(t, row, line, sizeof(line)); row++)
			puts(line);
		tell_hidden(t, width);
	} else if (none) {
		puts(none);
	}
	table_free(t);
}

void table_below(struct table *t)
{
	if (t->n)
		putchar('\n');
	table_print(t, NULL);
}
