/* SPDX-License-Identifier: BSD-2-Clause */
/* What every command that lists shares: rows of a table or of a JSON array, of all or of one domain. */
#ifndef LISTING_H
#define LISTING_H

#include "cli.h"
#include "fit.h"

#define NCOLS(cols) (sizeof(cols) / sizeof(*(cols)))

struct listing {
	struct table *t;	/* one of the two */
	json_t *json;
	size_t rows;
	const void *with;	/* what the rows need besides */
};

/* => begun: JSON where it was asked for, else a table of these columns; none where a row prints itself */
struct listing list_begin(const struct cli *cli, const struct column *cols, unsigned int ncols);
/* => the list printed and freed, or `none` behind the domain that was asked for (NULL: no domain); an exit code, rc where it is one */
int list_end(struct listing *l, int rc, const char *only, const char *none);
/* => all records of a paged list, which takes no words */
int list_pages(struct cli *cli, uint16_t type, struct listing l, const char *none,
	       int (*rows)(void *listing, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end));

/* A list of objects of the configuration, [DOM] the only word. */
struct object_list {
	uint16_t type;
	const struct column *cols;
	unsigned int ncols;
	const char *none;
	bool all;		/* the word all names what is of no domain */
	int (*order)(const void *x, const void *y);
	const void *with;
	void (*row)(struct listing *l, const struct object *o);
};
int list_objects(struct cli *cli, const struct object_list *what);

#endif
