/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two guests do whatever the input says: requests made of likely pieces, raw bytes, ring indices, slow reading. After each input
 * every listed name must be a node, the accounts must add up and be within the quotas, and all memory must come back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xs_wire.h>
#include <xenstore/xenstore.h>

#include "env_host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s does not hold\n", #x), abort()))

struct input {
	const uint8_t *p;
	size_t left;
};

struct guest {
	struct xs_conn *conn;
	struct xenstore_domain_interface *ring;
};

static uint8_t byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static const char *const paths[] = {
	"data",
	"data/a",
	"data/a/b",
	"data/a/b/c",
	"data/d",
	"/local/domain/5/data/a",
	"/local/domain/6/data/a",
	"/local/domain/6/data",
	"/",
	"/local/domain",
	"/local/domain/0/backend",
	"device/vif/0/state",
	"name",
	"@releaseDomain",
	"a//b",
	"/local/domain/5",
};

/* A request of two or three strings. */
static size_t make_request(struct input *in, char *out)
{
	struct xsd_sockmsg hdr = { .type = byte(in) % (XS_TYPE_COUNT + 1), .tx_id = byte(in) % 4 };
	char *p = out + sizeof(hdr);
	uint8_t pick = byte(in);
	p += sprintf(p, "%s", paths[pick % 16]) + 1;
	switch (hdr.type) {
	case XS_TRANSACTION_START:
		p = out + sizeof(hdr) + 1;
		out[sizeof(hdr)] = '\0';
		break;
	case XS_TRANSACTION_END:
		p = out + sizeof(hdr) + sprintf(out + sizeof(hdr), "%s", pick & 1 ? "T" : "F") + 1;
		break;
	case XS_SET_PERMS:
		p += sprintf(p, "%c%u", "nrwb"[pick >> 4 & 3], pick & 1 ? 5 : 6) + 1;
		p += sprintf(p, "%c%u", "nrwb"[pick >> 6], pick & 2 ? 5 : 6) + 1;
		break;
	case XS_WATCH:
	case XS_UNWATCH:
		p += sprintf(p, "t%u", pick >> 6) + 1;
		break;
	case XS_DIRECTORY_PART:
	case XS_GET_DOMAIN_PATH:
		p += sprintf(p, "%u", byte(in)) + 1;
		break;
	case XS_WRITE:
		memset(p, 'v', pick * 8u);
		p += pick * 8u;
		break;
	default:
		break;
	}
	hdr.len = (uint32_t)(p - out - (ptrdiff_t)sizeof(hdr));
	memcpy(out, &hdr, sizeof(hdr));
	return (size_t)(p - out);
}

static void put_ring(struct xenstore_domain_interface *ring, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n && ring->req_prod - ring->req_cons < XENSTORE_RING_SIZE; i++)
		ring->req[MASK_XENSTORE_IDX(ring->req_prod++)] = bytes[i];
}

static void act(struct guest *g, struct input *in)
{
	char buf[4200];
	size_t n = 0;
	switch (byte(in) % 8) {
	case 0:
	case 1:
	case 2:
		n = make_request(in, buf);
		xs_conn_input(g->conn, buf, n);
		break;
	case 3:
		for (size_t want = byte(in); n < want; n++)
			buf[n] = (char)byte(in);
		xs_conn_input(g->conn, buf, n);
		break;
	case 4:
		while (xs_conn_output(g->conn, buf, sizeof(buf)))
			;
		break;
	case 5:
		xs_conn_output(g->conn, buf, byte(in) % 32);
		break;
	case 6:
		n = make_request(in, buf);
		put_ring(g->ring, buf, n);
		xs_ring_service(g->conn, g->ring);
		g->ring->rsp_cons += byte(in);
		break;
	default:
		((uint8_t *)g->ring)[2048 + byte(in) % 28] = byte(in);
		xs_ring_service(g->conn, g->ring);
	}
}

static unsigned int walk(struct xenstore *xs, const char *path)
{
	char *names = malloc(65536), *kid = malloc(4096);
	int len = xs_directory(xs, path, names, 65536);
	unsigned int n = 1;
	MUST(len >= 0);
	for (int at = 0; at < len; at += (int)strlen(names + at) + 1) {
		snprintf(kid, 4096, "%s/%s", path[1] ? path : "", names + at);
		MUST(xs_read(xs, kid, NULL, 0) >= 0);
		n += walk(xs, kid);
	}
	free(names);
	free(kid);
	return n;
}

static void check(struct xenstore *xs)
{
	unsigned int sum = 0;
	for (uint16_t id = 0; id < 8; id++) {
		struct xs_usage u;
		if (xs_domain_usage(xs, id, &u))
			continue;
		sum += u.nodes;
		/* The hypervisor may write into a guest's nodes beyond its quota; nothing here does. */
		if (id)
			MUST(u.nodes <= 40 && u.bytes <= 16384 && u.watches <= 5 && u.transactions <= 3);
	}
	MUST(sum == walk(xs, "/"));
}

static void nothing(void *ctx)
{
}

static void begin(struct xenstore *xs, struct guest *g, uint16_t id)
{
	static const struct xs_conn_ops ops = { nothing };
	static const struct xs_quota quota = {
		.nodes = 40, .bytes = 16384, .value_bytes = 1500, .depth = 12, .watches = 5, .transactions = 3, .tx_nodes = 30
	};
	char path[64], perms[8];
	MUST(!xs_domain_add(xs, id, &quota));
	sprintf(path, "/local/domain/%u/data", id);
	sprintf(perms, "n%u", id);
	MUST(!xs_mkdir(xs, path) && !xs_set_perms(xs, path, perms));
	g->conn = xs_conn_open(xs, id, &ops, NULL);
	g->ring = calloc(1, sizeof(*g->ring));
	MUST(g->conn && g->ring);
	xs_ring_attach(g->conn, g->ring);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct guest g[2];
	env_host_log_level(0);
	struct xenstore *xs = xs_create(42);
	begin(xs, &g[0], 5);
	begin(xs, &g[1], 6);
	if (byte(&in) & 1)
		env_host_fail_after(byte(&in));
	while (in.left)
		act(&g[byte(&in) & 1], &in);
	env_host_fail_after(-1);
	check(xs);
	for (int i = 0; i < 2; i++) {
		xs_conn_close(g[i].conn);
		xs_domain_remove(xs, (uint16_t)(5 + i));
		free(g[i].ring);
		check(xs);
	}
	xs_run_pending(xs);
	xs_destroy(xs);
	MUST(env_host_live_bytes() == 0);
	return 0;
}
