/* SPDX-License-Identifier: BSD-2-Clause */
/* Classes of the network schedulers, one for each domain on each link, as stats and top show them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fit.h"

int classes_read(struct cli *cli, struct classes *out)
{
	return cli_records(cli, VC_CLASS_LIST, sizeof(*out->v), &out->v, &out->n);
}

static const char *class_domain(const struct vc_class_rec *c)
{
	return c->domid ? c->dom : "(router)";
}

/* A rate, or what stands for none. */
static const char *rate_or(uint64_t bps, const char *none, char out[32])
{
	if (bps)
		vfrc_format_rate(bps, out, 32);
	else
		snprintf(out, 32, "%s", none);
	return out;
}

static const struct column class_columns[] = {
	{.head = "link"}, {.head = "domain"}, {.head = "policy", .rank = 5}, {.head = "Mbit/s", .number = true},
	{.head = "guarantee", .number = true}, {.head = "ceiling", .number = true}, {.head = "weight", .number = true, .rank = 3},
	{.head = "backlog", .number = true}, {.head = "dropped", .number = true}, {.head = "marked", .number = true, .rank = 4},
	{.head = "delay ms", .number = true, .rank = 2}, {.head = ""},
};

static void class_row(struct table *t, const struct vc_class_rec *c)
{
	char rate[32];

	table_cell(t, "%.32s", c->link);
	table_cell(t, "%.32s", class_domain(c));
	table_cell(t, "%.32s", c->policy);
	table_cell(t, "%.3f", c->rate_bps / 1e6);
	table_cell(t, "%s", rate_or(c->guarantee_bps, "-", rate));
	table_cell(t, "%s", rate_or(c->ceiling_bps, "-", rate));
	table_cell(t, "%u", c->weight);
	table_count(t, c->backlog.bytes);
	table_count(t, c->drops);
	table_count(t, c->marks);
	table_cell(t, "%.3f", c->delay_ns / 1e6);
	table_cell(t, "%s", c->flags & VC_CLASS_STOPPED ? "stopped" : c->flags & VC_CLASS_CAPPED ? "capped" : "");
}

void classes_text(const struct classes *all, const char *only)
{
	struct table *t = table_new(class_columns, sizeof(class_columns) / sizeof(*class_columns));

	for (size_t i = 0; i < all->n; i++)
		if (!only || (all->v[i].domid && !strcmp(only, all->v[i].dom)))
			class_row(t, &all->v[i]);
	table_below(t);
}

static json_t *class_json(const struct vc_class_rec *c)
{
	return json_pack("{s:o, s:o, s:s, s:I, s:I, s:b, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:f, s:f, s:f, s:f}",
			 "link",
			 json_name(c->link, VC_NAME), "policy", json_name(c->policy, VC_NAME), "direction",
			 c->dir == VC_RULE_IN ? "in" : "out",
			 "rate_bps", (json_int_t)c->rate_bps, "guarantee_bps", (json_int_t)c->guarantee_bps, "guarantee_honoured",
			 c->flags & VC_CLASS_GUARANTEED, "ceiling_bps", (json_int_t)c->ceiling_bps, "weight", (int)c->weight,
			 "sent_packets",
			 (json_int_t)c->sent.packets, "sent_bytes", (json_int_t)c->sent.bytes, "backlog_packets",
			 (json_int_t)c->backlog.packets,
			 "backlog_bytes", (json_int_t)c->backlog.bytes, "drops", (json_int_t)c->drops, "marks", (json_int_t)c->marks,
			 "stops",
			 (json_int_t)c->stops, "stopped", c->flags & VC_CLASS_STOPPED, "capped", c->flags & VC_CLASS_CAPPED, "delay_s",
			 c->delay_ns / 1e9, "delay_max_s", c->delay_max_ns / 1e9, "late_max_s", c->late_max_ns / 1e9, "bound_s",
			 c->bound_ns / 1e9);
}

json_t *classes_json(const struct classes *all, uint16_t domid)
{
	json_t *a = json_array();

	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].domid == domid)
			json_array_append_new(a, class_json(&all->v[i]));
	return a;
}

void classes_prom(const struct classes *all, uint16_t domid)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct vc_class_rec *c = &all->v[i];
		const struct {
			const char *name;
			uint64_t v;
		} figures[] = {
			{"rate_bps", c->rate_bps}, {"guarantee_bps", c->guarantee_bps}, {"ceiling_bps", c->ceiling_bps},
			{"weight", c->weight},
			{"sent_packets_total", c->sent.packets}, {"sent_bytes_total", c->sent.bytes},
			{"backlog_packets", c->backlog.packets},
			{"backlog_bytes", c->backlog.bytes}, {"drops_total", c->drops}, {"marks_total", c->marks},
			{"stops_total", c->stops},
		};

		if (c->domid != domid)
			continue;
		for (size_t k = 0; k < sizeof(figures) / sizeof(*figures); k++)
			printf("vfr_class_%s{domain=\"%.32s\",link=\"%.32s\"} %llu\n", figures[k].name, c->dom, c->link,
			       (unsigned long long)figures[k].v);
		printf("vfr_class_delay_seconds{domain=\"%.32s\",link=\"%.32s\"} %.9f\n", c->dom, c->link, c->delay_ns / 1e9);
	}
}
