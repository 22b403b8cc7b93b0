/* SPDX-License-Identifier: BSD-2-Clause */
/* top: rates, drops, marks and shares of each domain, refreshed once a second; q leaves. With --once one measurement as text. */
#include <ncurses.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "fit.h"

#define ROWS_MAX 4096

struct row {
	char name[VC_NAME];
	uint16_t domid;
	struct vc_count in, out;
	uint64_t drops, marks, cpu_ns, backlog;
	uint64_t in_guarantee_bps, out_guarantee_bps;
};

struct sample {
	uint64_t ns;
	size_t n;
	struct row row[ROWS_MAX];
};

struct rates {
	const struct row *row;
	double in_bps, out_bps, in_pps, out_pps, drops_ps, marks_ps, cpu;
};

static int collect(void *ctx, const struct vc_page_reply *p, const uint8_t *rec, const uint8_t *end)
{
	struct sample *s = ctx;

	for (uint32_t i = 0; i < p->count && s->n < ROWS_MAX; i++) {
		const struct vc_stats_rec *r = (const void *)rec;
		struct row *row = &s->row[s->n];

		if ((size_t)(end - rec) < sizeof(*r) || (size_t)(end - rec) < sizeof(*r) + r->drops * sizeof(struct vc_drop_pair))
			return 1;
		snprintf(row->name, sizeof(row->name), "%s", r->domid ? r->name : "(no domain)");
		row->domid = r->domid;
		row->in = r->in;
		row->out = r->out;
		row->drops = r->in_dropped.packets + r->out_dropped.packets;
		row->cpu_ns = r->cpu_ns;
		row->backlog = r->backlog_bytes;
		row->marks = row->in_guarantee_bps = row->out_guarantee_bps = 0;
		s->n++;
		rec += sizeof(*r) + r->drops * sizeof(struct vc_drop_pair);
	}
	return 0;
}

/* What waits in the schedulers, what they marked, and what is guaranteed there. */
static void add_classes(struct sample *s, const struct classes *all)
{
	for (size_t k = 0; k < all->n; k++) {
		const struct vc_class_rec *c = &all->v[k];

		for (size_t i = 0; i < s->n; i++) {
			if (s->row[i].domid != c->domid)
				continue;
			s->row[i].backlog += c->backlog.bytes;
			s->row[i].marks += c->marks;
			*(c->dir == VC_RULE_OUT ? &s->row[i].out_guarantee_bps : &s->row[i].in_guarantee_bps) += c->guarantee_bps;
		}
	}
}

static int take(struct cli *cli, struct sample *s)
{
	struct vc_page q = {0};
	struct classes classes;
	int rc;
	struct timespec t;
	struct vfrc_reply r;

	clock_gettime(CLOCK_MONOTONIC, &t);
	s->ns = t.tv_sec * 1000000000ull + t.tv_nsec;
	s->n = 0;
	rc = cli_result(cli, vfrc_pages(cli->c, VC_STATS, &q, collect, s, &r), &r);
	if (!rc)
		rc = classes_read(cli, &classes);
	if (rc)
		return rc;
	add_classes(s, &classes);
	free(classes.v);
	return 0;
}

static const struct row *before(const struct sample *s, const struct row *row)
{
	static const struct row none;

	for (size_t i = 0; i < s->n; i++)
		if (s->row[i].domid == row->domid && !strcmp(s->row[i].name, row->name))
			return &s->row[i];
	return &none;
}

/* What a counter gained; one that began anew (a class came back) gained nothing. */
static double gained(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

static void rates_of(const struct sample *a, const struct sample *b, struct rates *out)
{
	double dt = (b->ns - a->ns) / 1e9;

	for (size_t i = 0; i < b->n; i++) {
		const struct row *n = &b->row[i], *o = before(a, n);

		out[i] = (struct rates){n, gained(n->in.bytes, o->in.bytes) * 8 / dt, gained(n->out.bytes, o->out.bytes) * 8 / dt,
					gained(n->in.packets, o->in.packets) / dt, gained(n->out.packets, o->out.packets) / dt,
					gained(n->drops, o->drops) / dt, gained(n->marks, o->marks) / dt,
					gained(n->cpu_ns, o->cpu_ns) / 1e9 / dt * 100};
	}
}

static int busier(const void *x, const void *y)
{
	const struct rates *a = x, *b = y;
	double d = b->in_bps + b->out_bps - a->in_bps - a->out_bps;

	/* Who has no traffic keeps his place: processor time alone wavers. */
	return d > 0 ? 1 : d < 0 ? -1 : strcmp(a->row->name, b->row->name);
}

/* Wide enough for what changes with every look. */
static const struct column columns[] = {
	{.head = "domain"}, {.head = "cpu %", .number = true, .min = 5}, {.head = "in Mbit/s", .number = true, .rank = 1, .min = 9},
	{.head = "out Mbit/s", .number = true, .rank = 2, .min = 10}, {.head = "in pkt/s", .number = true, .rank = 3, .min = 8},
	{.head = "out pkt/s", .number = true, .rank = 4, .min = 9}, {.head = "drops/s", .number = true, .rank = 5, .min = 7},
	{.head = "marks/s", .number = true, .rank = 6, .min = 7}, {.head = "share %", .number = true, .rank = 7, .min = 7},
	{.head = "backlog", .number = true, .rank = 8, .min = 8}, {.head = "out guarantee", .number = true, .rank = 9},
	{.head = "in guarantee", .number = true, .rank = 10},
};

static struct table *make_table(struct rates *v, size_t n)
{
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));
	double total = 0;

	qsort(v, n, sizeof(*v), busier);
	for (size_t i = 0; i < n; i++)
		total += v[i].in_bps + v[i].out_bps;
	for (size_t i = 0; i < n; i++) {
		const struct rates *r = &v[i];

		table_cell(t, "%s", r->row->name);
		table_cell(t, "%.1f", r->cpu);
		table_cell(t, "%.2f", r->in_bps / 1e6);
		table_cell(t, "%.2f", r->out_bps / 1e6);
		table_cell(t, "%.0f", r->in_pps);
		table_cell(t, "%.0f", r->out_pps);
		table_cell(t, "%.0f", r->drops_ps);
		table_cell(t, "%.0f", r->marks_ps);
		table_cell(t, "%.1f", total ? (r->in_bps + r->out_bps) / total * 100 : 0);
		table_cell(t, "%llu", (unsigned long long)r->row->backlog);
		table_cell(t, "%.2f", r->row->out_guarantee_bps / 1e6);
		table_cell(t, "%.2f", r->row->in_guarantee_bps / 1e6);
	}
	return t;
}

static void show(struct rates *v, size_t n, bool screen)
{
	struct table *t = make_table(v, n);
	char line[300];

	if (!screen) {
		table_print(t, NULL);
		return;
	}
	table_fit(t, COLS);
	erase();
	for (int row = 0; row < LINES && table_line(t, row, line, sizeof(line)); row++) {
		if (!row)
			attron(A_REVERSE);
		mvprintw(row, 0, "%-*.*s", row ? 0 : COLS, COLS, line);
		attroff(A_REVERSE);
	}
	table_free(t);
	refresh();
}

static int show_json(const struct rates *v, size_t n)
{
	json_t *a = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_pack("{s:o, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "domain",
			json_name(v[i].row->name, VC_NAME), "id", v[i].row->domid, "cpu_percent", v[i].cpu, "in_bps", v[i].in_bps, "in_pps",
			v[i].in_pps, "out_bps", v[i].out_bps, "out_pps", v[i].out_pps, "drops_per_s", v[i].drops_ps, "marks_per_s",
			v[i].marks_ps, "guarantee_bps", (json_int_t)v[i].row->out_guarantee_bps, "in_guarantee_bps",
			(json_int_t)v[i].row->in_guarantee_bps, "backlog_bytes", (json_int_t)v[i].row->backlog));
	return cli_json(a);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	interrupted = 1;
}

static void open_screen(void)
{
	initscr();
	cbreak();
	noecho();
	curs_set(0);
	timeout(1000);
	mvaddnstr(0, 0, "one moment: a rate takes two looks", COLS);
	refresh();
	signal(SIGINT, on_interrupt);
}

/* Between two looks the port is somebody else's. => whether to go on */
static bool pause_between(struct cli *cli, bool once)
{
	int key = ERR;

	vfrc_close(cli->c);
	cli->c = NULL;
	if (once)
		usleep(500000);
	else
		key = getch();
	return key != 'q' && !interrupted;
}

int cmd_top(struct cli *cli)
{
	static struct sample s[2];
	static struct rates v[ROWS_MAX];
	bool once = cli_flag(cli, "--once") || cli->json || !isatty(1);
	unsigned int cur = 0;
	int rc = cli_words(cli, 0, 0);

	if (!rc)
		rc = take(cli, &s[0]);
	if (rc)
		return rc;
	if (!once)
		open_screen();
	while (pause_between(cli, once)) {
		rc = cli_connect(cli);
		if (!rc)
			rc = take(cli, &s[!cur]);
		if (rc)
			break;
		rates_of(&s[cur], &s[!cur], v);
		cur = !cur;
		if (cli->json)
			rc = show_json(v, s[cur].n);
		else
			show(v, s[cur].n, !once);
		if (once)
			break;
	}
	if (!once)
		endwin();
	if (rc && !once)	/* what was said of it went down with the screen */
		fprintf(stderr, "vfrctl: the hypervisor does not answer any more\n");
	return rc;
}
