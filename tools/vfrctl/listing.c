/* SPDX-License-Identifier: BSD-2-Clause */
/* What every command that lists shares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

struct listing list_begin(const struct cli *cli, const struct column *cols, unsigned int ncols)
{
	struct listing l = {0};

	if (cli->json)
		l.json = json_array();
	else if (ncols)
		l.t = table_new(cols, ncols);
	return l;
}

int list_end(struct listing *l, int rc, const char *only, const char *none)
{
	char text[200];

	snprintf(text, sizeof(text), "%s%s%s", only ? only : "", only ? ": " : "", none);
	if (!rc && l->json)
		return cli_json(l->json);
	if (!rc && l->t) {
		table_print(l->t, text);
		return EXIT_DONE;
	}
	if (!rc && !l->rows)
		puts(text);
	json_decref(l->json);
	if (l->t)
		table_free(l->t);
	return rc;
}

int list_pages(struct cli *cli, uint16_t type, struct listing l, const char *none,
	       int (*rows)(void *listing, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end))
{
	struct vc_page q = {0};
	struct vfrc_reply r;
	int rc = cli_words(cli, 0, 0);

	if (!rc)
		rc = cli_result(cli, vfrc_pages(cli->c, type, &q, rows, &l, &r), &r);
	return list_end(&l, rc, NULL, none);
}

static const char *owner(const struct object *o)
{
	return object_domain(o)[0] ? object_domain(o) : "all";
}

int list_objects(struct cli *cli, const struct object_list *what)
{
	struct listing l = list_begin(cli, what->cols, what->ncols);
	int rc = cli_words(cli, 0, 1);
	const char *only = cli_word(cli, 0);
	struct objects all = {0};
	struct vfrc_reply r;

	l.with = what->with;
	if (!rc && !(only && what->all && !strcmp(only, "all")))
		rc = cli_known(cli, only);
	if (!rc)
		rc = cli_result(cli, objects_read(cli->c, 0, what->type, &all, &r), &r);
	if (!rc && all.n && what->order)
		qsort(all.v, all.n, sizeof(*all.v), what->order);
	for (size_t i = 0; !rc && i < all.n; i++) {
		if (only && strcmp(only, owner(all.v[i])))
			continue;
		l.rows++;
		what->row(&l, all.v[i]);
	}
	objects_free(&all);
	return list_end(&l, rc, only, what->none);
}
