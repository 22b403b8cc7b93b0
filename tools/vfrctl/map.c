/* SPDX-License-Identifier: BSD-2-Clause */
/* map: the 65,536 ports of an address as a picture: 64 columns by 32 rows of 32 ports each, a letter a domain; or as SVG. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define CELL 32
#define COLS 64
#define ROWS (65536 / CELL / COLS)
#define DOMS_MAX 52

struct map {
	uint8_t owner[65536];	/* index + 1 */
	char name[DOMS_MAX][VC_NAME];
	unsigned int ports[DOMS_MAX];
	unsigned int doms;
	bool more;		/* domains beyond the letters share the last */
};

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static unsigned int dom_index(struct map *m, const char *name)
{
	for (unsigned int i = 0; i < m->doms; i++)
		if (!strcmp(m->name[i], name))
			return i;
	if (m->doms == DOMS_MAX) {
		m->more = true;
		return DOMS_MAX - 1;
	}
	strcpy(m->name[m->doms], name);
	return m->doms++;
}

struct owning {
	struct map *m;
	unsigned int dom;
};

static void own(void *ctx, unsigned int first, unsigned int last)
{
	const struct owning *o = ctx;

	for (unsigned int p = first; p <= last; p++) {
		o->m->ports[o->dom] += !o->m->owner[p];
		o->m->owner[p] = o->dom + 1;
	}
}

static void add_slice(struct map *m, const struct vc_slice_add *s)
{
	if (s->kind <= VC_SLICE_MAPE)
		vfrc_each_run(s, own, &(struct owning){m, dom_index(m, s->dom)});
}

/* Who has ports of a cell. */
static char cell_letter(const struct map *m, unsigned int cell)
{
	unsigned int owned = 0, last = 0;

	for (unsigned int p = cell * CELL; p < (cell + 1) * CELL; p++) {
		if (!m->owner[p])
			continue;
		if (last && last != m->owner[p])
			return '*';
		last = m->owner[p];
		owned++;
	}
	return owned ? letters[last - 1] : '.';
}

static void print_map(const struct map *m, const char *addr)
{
	printf("ports of %s, %d a letter; '.' free, '*' several owners\n", addr, CELL);
	for (unsigned int row = 0; row < ROWS; row++) {
		printf("%5u ", row * COLS * CELL);
		for (unsigned int col = 0; col < COLS; col++)
			putchar(cell_letter(m, row * COLS + col));
		putchar('\n');
	}
	for (unsigned int i = 0; i < m->doms; i++)
		printf("%c %s%s: %u ports\n", letters[i], m->name[i], m->more && i == DOMS_MAX - 1 ? " and others" : "", m->ports[i]);
}

static int write_svg(const struct map *m, const char *addr, const char *file)
{
	FILE *f = strcmp(file, "-") ? fopen(file, "w") : stdout;

	if (!f) {
		fprintf(stderr, "vfrctl: %s: %m\n", file);
		return EXIT_REFUSED;
	}
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1060 %u\" font-family=\"sans-serif\" font-size=\"14\">\n",
		600 + 20 * m->doms);
	fprintf(f, "<text x=\"10\" y=\"20\">Ports of %s</text>\n<rect x=\"10\" y=\"30\" width=\"1024\" height=\"512\" fill=\"#eee\"/>\n",
		addr);
	/* A row is 512 ports of two units each; runs of one owner are one rectangle. */
	for (unsigned int p = 0; p < 65536;) {
		unsigned int q = p + 1, o = m->owner[p];

		while (q < 65536 && q % 512 && m->owner[q] == o)
			q++;
		if (o)
			fprintf(f,
				"<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"4\" "
				"fill=\"hsl(%u,65%%,50%%)\"><title>%s %u-%u</title></rect>\n",
				10 + p % 512 * 2, 30 + p / 512 * 4, (q - p) * 2, (o - 1) * 137 % 360, m->name[o - 1], p, q - 1);
		p = q;
	}
	for (unsigned int i = 0; i < m->doms; i++)
		fprintf(f,
			"<rect x=\"10\" y=\"%u\" width=\"14\" height=\"14\" fill=\"hsl(%u,65%%,50%%)\"/>"
			"<text x=\"30\" y=\"%u\">%s: %u ports</text>\n",
			556 + 20 * i, i * 137 % 360, 568 + 20 * i, m->name[i], m->ports[i]);
	fprintf(f, "</svg>\n");
	return (f == stdout ? fflush(f) : fclose(f)) ? EXIT_REFUSED : EXIT_DONE;
}

static int print_json(const struct map *m, const char *addr)
{
	json_t *runs = json_array();

	for (unsigned int p = 0; p < 65536;) {
		unsigned int q = p + 1, o = m->owner[p];

		while (q < 65536 && m->owner[q] == o)
			q++;
		if (o)
			json_array_append_new(runs, json_pack("{s:i, s:i, s:s}", "first", p, "last", q - 1, "domain", m->name[o - 1]));
		p = q;
	}
	return cli_json(json_pack("{s:s, s:o}", "address", addr, "runs", runs));
}

int cmd_map(struct cli *cli)
{
	const char *svg = cli_value(cli, "--svg");
	static struct map m;
	struct objects all;
	struct vfrc_reply r;
	struct vc_ip ip;
	bool known = false;
	int rc = cli_words(cli, 1, 1);

	if (!rc && (vfrc_parse_ip(cli->argv[0], &ip) || !vfrc_ip_is_v4(&ip)))
		rc = cli_usage(cli, "'%s' is not an IPv4 address", cli->argv[0]);
	if (!rc)
		rc = cli_result(cli, objects_read(cli->c, 0, 0, &all, &r), &r);
	if (rc)
		return rc;
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), slice_order);
	for (size_t i = 0; i < all.n; i++) {
		const struct vc_slice_add *s = (const void *)all.v[i]->body;

		known = known || (all.v[i]->type == VC_ADDR_ADD && !memcmp(all.v[i]->body, &ip, sizeof(ip)));
		if (all.v[i]->type == VC_SLICE_ADD && !memcmp(&s->addr, &ip, sizeof(ip)))
			add_slice(&m, s);
	}
	objects_free(&all);
	if (!known)
		return cli_refuse(cli, "no-address", ENOENT, "%s is no address of this machine", cli->argv[0]);
	if (cli->json)
		return print_json(&m, cli->argv[0]);
	if (svg)
		return write_svg(&m, cli->argv[0], svg);
	print_map(&m, cli->argv[0]);
	return EXIT_DONE;
}
