/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables and lines that fit the terminal they are printed on. */
#ifndef FIT_H
#define FIT_H

#include <stdbool.h>
#include <stdio.h>

struct column {
	const char *head;
	bool number;		/* stands to the right */
	unsigned char rank;	/* where there is no room the highest rank goes first; 0 stays */
	unsigned char min;	/* width at least, for what is shown again and again */
};

struct table;

/* => columns that the stream has room for, or more than any line has where it is no terminal */
int fit_width(FILE *f);
/* => a line, formatted; what does not fit goes on below, indented, broken at blanks */
void fit_line(FILE *f, int indent, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* => an empty table; the columns outlive it */
struct table *table_new(const struct column *cols, unsigned int n);
/* => the next cell, row by row: as many as there are columns make a row */
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* => a count, exact while it is short */
void table_count(struct table *t, unsigned long long n);
/* => leaves out columns until the rest fits */
void table_fit(struct table *t, int width);
/* => heading (0) or row (from 1) in out; false behind the last */
bool table_line(const struct table *t, unsigned int row, char *out, size_t n);
void table_free(struct table *t);
/* => fitted, printed, with a word on columns that were left out, and freed; a table without rows says `none` alone, unless that is NULL */
void table_print(struct table *t, const char *none);
/* => likewise, below another table; nothing where there are no rows */
void table_below(struct table *t);

#endif
