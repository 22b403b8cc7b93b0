/* SPDX-License-Identifier: BSD-2-Clause */
/* Slices: list, give, take back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listing.h"

static json_t *slice_json(const struct vc_slice_add *s)
{
	json_t *o = json_pack("{s:o, s:o}", "address", json_ip(&s->addr), "domain", json_name(s->dom, VC_NAME));
	char ports[96];

	vfrc_format_ports(s, ports, sizeof(ports));
	json_object_set_new(o, "ports", json_string(ports));
	if (s->kind == VC_SLICE_RANGE) {
		json_object_set_new(o, "first", json_integer(s->first));
		json_object_set_new(o, "last", json_integer(s->last));
	}
	if (s->protos)
		json_object_set_new(o, "protocols", json_protos(s->protos));
	return o;
}

/* In the order of addresses and ports, not of the bytes of the key. */
int slice_order(const void *x, const void *y)
{
	const struct object *const *p = x, *const *q = y;
	const struct vc_slice_add *a = (const void *)(*p)->body, *b = (const void *)(*q)->body;
	int r = (*p)->type - (*q)->type;

	if (r || (*p)->type != VC_SLICE_ADD)
		return r;
	r = memcmp(&a->addr, &b->addr, sizeof(a->addr));
	if (!r)
		r = a->kind - b->kind;
	return r ? r : a->first - b->first;
}

static const struct column slice_columns[] = {{.head = "address"}, {.head = "ports"}, {.head = "domain"}};

static void slice_row(struct listing *l, const struct object *o)
{
	const struct vc_slice_add *s = (const void *)o->body;
	char ip[64], ports[96];

	if (l->json) {
		json_array_append_new(l->json, slice_json(s));
		return;
	}
	vfrc_format_ip(&s->addr, ip, sizeof(ip));
	vfrc_format_ports(s, ports, sizeof(ports));
	table_cell(l->t, "%s", ip);
	table_cell(l->t, "%s", ports);
	table_cell(l->t, "%s", s->dom);
}

int cmd_slice_ls(struct cli *cli)
{
	static const struct object_list slices = {
		VC_SLICE_ADD, slice_columns, NCOLS(slice_columns), "no slices", .order = slice_order, .row = slice_row,
	};

	return list_objects(cli, &slices);
}

/* Ports without an address are of the only shared one. */
int shared_address(struct cli *cli, struct vc_ip *out, unsigned int *found)
{
	struct objects all;
	struct vfrc_reply r;
	int rc = cli_result(cli, objects_read(cli->c, 0, VC_ADDR_ADD, &all, &r), &r);

	*found = 0;
	if (rc)
		return rc;
	for (size_t i = 0; i < all.n; i++) {
		const struct vc_addr_add *a = (const void *)all.v[i]->body;

		if (!(a->flags & VC_ADDR_SHARED))
			continue;
		*out = a->addr;
		++*found;
	}
	objects_free(&all);
	return *found == 1 ? 0 : EXIT_USAGE;
}

static int fill_address(struct cli *cli, struct vc_ip *out)
{
	unsigned int found;
	int rc = shared_address(cli, out, &found);

	return rc == EXIT_USAGE ? cli_usage(cli, "there are %u shared addresses: write ADDRESS:PORTS", found) : rc;
}

static int commit_one(struct cli *cli, uint16_t type, const struct vc_slice_add *s, unsigned int flags)
{
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {.flags = flags};
	struct vfrc_reply r;
	int rc;

	if (!flags)
		return cli_call(cli, type, s, sizeof(*s), &r);
	snprintf(b.note, sizeof(b.note), "%s %.40s", cli->command->name, cli->argv[0]);
	rc = cli_call(cli, VC_TXN_BEGIN, &b, sizeof(b), &r);
	if (!rc)
		rc = cli_call(cli, type, s, sizeof(*s), &r);
	return rc ? rc : cli_call(cli, VC_TXN_COMMIT, &m, sizeof(m), &r);
}

static int edit(struct cli *cli, bool single)
{
	bool del = strstr(cli->command->name, " del") != NULL, force = cli_flag(cli, "--force"), given;
	struct vc_slice_add s = {.kind = VC_SLICE_RANGE};
	char joined[128];
	int rc = cli_words(cli, 2, 3);

	if (!rc)
		rc = cli_domain(cli, cli->argv[0], s.dom);
	if (rc)
		return rc;
	snprintf(joined, sizeof(joined), "%s%s%s", cli->argv[1], cli->argc > 2 ? " " : "", cli->argc > 2 ? cli->argv[2] : "");
	if (vfrc_parse_slice(joined, &s, &given))
		return cli_usage(cli, "'%s' are no ports: write 80/tcp, 20000-20999, 53/tcp+udp, mape A/K/PSID, "
				 "split FIRST-LAST/SIZE/N, gre, esp spi SPI, with ADDRESS: before it",
				 joined);
	if (single && (s.kind != VC_SLICE_RANGE || s.first != s.last))
		return cli_usage(cli, "one port is wanted, as in 80/tcp");
	rc = given ? 0 : fill_address(cli, &s.addr);
	if (!rc)
		rc = commit_one(cli, VC_SLICE_ADD | (del ? VC_DEL : 0), &s, force ? VC_COMMIT_FORCE : 0);
	if (rc == EXIT_REFUSED && del && !cli->json)
		fprintf(stderr, "(slices are taken back as they were given: 'vfrctl slice ls %s' shows them)\n", s.dom);
	return rc;
}

int cmd_slice_edit(struct cli *cli)
{
	return edit(cli, false);
}

int cmd_listen(struct cli *cli)
{
	return edit(cli, true);
}
