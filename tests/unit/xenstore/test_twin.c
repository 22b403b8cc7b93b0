/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Xenstore against a naive twin: a flat array of nodes, searched from end to end. Random operations of two guests, in and
 * out of transactions; each reply must be the twin's. A transaction that commits must give, replayed on the twin at its
 * end, the very replies it gave while it was open (it is serialisable); one that is refused must have had a reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "env_host.h"

enum { READ = 1, WRITE = 2, OWNER = 4, MAX = 300, LOG = 64 };

struct mperm {
	int dom, mode;
};

struct mnode {
	char path[64], value[8];
	int n;
	struct mperm p[5];
};

struct model {
	int n;
	struct mnode node[MAX];
};

struct op {
	uint32_t type;
	char path[64], arg[24];
	int err;
	char reply[512];
	uint32_t len;
};

struct guest {
	struct client c;
	int id;
	uint32_t tx;
	int n_ops;
	unsigned long changes_at_start;
	struct op log[LOG];
};

static struct model model;
static struct guest guest[2];
static struct xenstore *xs;
static unsigned long changes; /* to the twin, by anyone */

/* --- the twin --- */

static struct mnode *find(const char *path)
{
	for (int i = 0; i < model.n; i++)
		if (!strcmp(model.node[i].path, path))
			return &model.node[i];
	return NULL;
}

static void parent_of(const char *path, char *out)
{
	strcpy(out, path);
	*strrchr(out, '/') = '\0';
	if (!*out)
		strcpy(out, "/");
}

static int mode(const struct mnode *n, int dom)
{
	if (n->p[0].dom == dom)
		return READ | WRITE | OWNER;
	for (int i = 1; i < n->n; i++)
		if (n->p[i].dom == dom)
			return n->p[i].mode;
	return n->p[0].mode;
}

static int access_to(const char *path, int dom, int need, struct mnode **out)
{
	char up[64];
	struct mnode *judge = *out = find(path);
	strcpy(up, path);
	while (!judge) {
		parent_of(up, up);
		judge = find(up);
	}
	if ((mode(judge, dom) & need) != need)
		return -EACCES;
	return *out ? 0 : -ENOENT;
}

static struct mnode *create(const char *path, int dom)
{
	char up[64];
	struct mnode *n = find(path), *parent;
	if (n)
		return n;
	parent_of(path, up);
	parent = create(up, dom);
	assert_true(model.n < MAX);
	n = &model.node[model.n++];
	*n = *parent;
	n->value[0] = '\0';
	strcpy(n->path, path);
	n->p[0].dom = dom;
	return n;
}

static void remove_tree(const char *path)
{
	size_t len = strlen(path);
	int to = 0;
	for (int i = 0; i < model.n; i++) {
		const char *p = model.node[i].path;
		if (strncmp(p, path, len) || (p[len] && p[len] != '/'))
			model.node[to++] = model.node[i];
	}
	model.n = to;
}

static void list(const char *path, struct op *op)
{
	size_t len = strlen(path);
	op->len = 0;
	for (int i = 0; i < model.n; i++) {
		const char *p = model.node[i].path;
		if (!strncmp(p, path, len) && p[len] == '/' && p[len + 1] && !strchr(p + len + 1, '/')) {
			strcpy(op->reply + op->len, p + len + 1);
			op->len += (uint32_t)strlen(p + len + 1) + 1;
		}
	}
}

static const char letters[] = { 'n', 'r', 'w', 'b' };

static void print_perms(const struct mnode *n, struct op *op)
{
	op->len = 0;
	for (int i = 0; i < n->n; i++)
		op->len += (uint32_t)sprintf(op->reply + op->len, "%c%d", letters[n->p[i].mode], n->p[i].dom) + 1;
}

/* arg: "b5r6" = two permissions. */
static int set_perms(struct mnode *n, const char *arg)
{
	if (arg[1] - '0' != n->p[0].dom)
		return -EPERM;
	for (n->n = 0; *arg; arg += 2)
		n->p[n->n++] = (struct mperm){ arg[1] - '0', (int)((const char *)memchr(letters, arg[0], 4) - letters) };
	return 0;
}

static void acknowledge(struct op *op)
{
	strcpy(op->reply, "OK");
	op->len = 3;
	changes++;
}

/* What the twin answers. */
static void answer(struct op *op, int dom)
{
	struct mnode *n;
	char up[64];
	op->err = access_to(op->path, dom, op->type == XS_SET_PERMS ? WRITE | OWNER : op->type == XS_WRITE || op->type == XS_MKDIR ||
				op->type == XS_RM ? WRITE : READ, &n);
	switch (op->type) {
	case XS_WRITE:
	case XS_MKDIR:
		if (op->err == 0 && op->type == XS_MKDIR)
			break;
		if (op->err == 0 || op->err == -ENOENT) {
			n = create(op->path, dom);
			strcpy(n->value, op->type == XS_WRITE ? op->arg : "");
			op->err = 0;
		}
		break;
	case XS_RM:
		parent_of(op->path, up);
		if (op->err == 0)
			remove_tree(op->path);
		else if (op->err == -ENOENT && find(up))
			op->err = 0;
		break;
	case XS_SET_PERMS:
		if (op->err == 0)
			op->err = set_perms(n, op->arg);
		break;
	}
	if (op->err)
		return;
	if (op->type == XS_READ)
		op->len = (uint32_t)sprintf(op->reply, "%s", n->value);
	else if (op->type == XS_DIRECTORY)
		list(op->path, op);
	else if (op->type == XS_GET_PERMS)
		print_perms(n, op);
	else
		acknowledge(op);
}

/* --- the store --- */

static void put(struct guest *g, struct op *op)
{
	char req[128];
	int n = sprintf(req, "%s", op->path) + 1;
	if (op->type == XS_WRITE)
		n += sprintf(req + n, "%s", op->arg);
	for (const char *a = op->arg; op->type == XS_SET_PERMS && *a; a += 2)
		n += sprintf(req + n, "%.2s", a) + 1;
	op->err = ask(&g->c, op->type, req, (size_t)n);
	op->len = op->err ? 0 : g->c.reply_len;
	memcpy(op->reply, g->c.reply, op->len);
}

static void random_op(struct op *op)
{
	static const uint32_t types[] = { XS_READ,  XS_READ,  XS_DIRECTORY, XS_GET_PERMS, XS_WRITE,
					  XS_WRITE, XS_WRITE, XS_MKDIR,     XS_RM,        XS_SET_PERMS };
	memset(op, 0, sizeof(*op));
	op->type = types[(size_t)rand() % (sizeof(types) / sizeof(types[0]))];
	sprintf(op->path, "/local/domain/%d/data", rand() % 2 + 5);
	for (int depth = rand() % 4; depth > 0; depth--)
		sprintf(op->path + strlen(op->path), "/%c", "abc"[rand() % 3]);
	if (op->type == XS_SET_PERMS)
		sprintf(op->arg, rand() % 2 ? "%c%d" : "%c%d%c%d", letters[rand() % 4], rand() % 2 + 5, letters[rand() % 4],
			rand() % 2 + 5);
	else
		sprintf(op->arg, "%d", rand() % 100);
}

static void compare(const struct op *got, const struct op *want, const char *when)
{
	if (got->err != want->err || (!got->err && (got->len != want->len || memcmp(got->reply, want->reply, got->len))))
		fail_msg("%s: type %u %s %s: %d \"%.40s\", the twin says %d \"%.40s\"", when, got->type, got->path, got->arg,
			 got->err, got->reply, want->err, want->reply);
}

static unsigned int commits, refusals;

static void finish(struct guest *g)
{
	bool commit = rand() % 4 != 0;
	unsigned long before = changes;
	g->c.tx = g->tx;
	int err = end_tx(&g->c, commit);
	g->tx = 0;
	if (!commit) {
		assert_int_equal(err, 0);
		return;
	}
	if (err) {
		assert_int_equal(err, -EAGAIN);
		assert_true(before != g->changes_at_start);
		refusals++;
		return;
	}
	for (int i = 0; i < g->n_ops; i++) {
		struct op twin = g->log[i];
		answer(&twin, g->id);
		compare(&g->log[i], &twin, "replayed");
	}
	commits++;
}

static void step(struct guest *g)
{
	struct op op, twin;
	if (g->tx && (rand() % 5 == 0 || g->n_ops == LOG)) {
		finish(g);
		return;
	}
	if (!g->tx && rand() % 6 == 0) {
		assert_int_equal(begin_tx(&g->c), 0);
		g->tx = g->c.tx;
		g->n_ops = 0;
		g->changes_at_start = changes;
	}
	random_op(&op);
	twin = op;
	if (g->tx && rand() % 3) {
		g->c.tx = g->tx;
		put(g, &op);
		g->log[g->n_ops++] = op;
		g->c.tx = 0;
		return;
	}
	g->c.tx = 0;
	put(g, &op);
	answer(&twin, g->id);
	compare(&op, &twin, "at once");
}

static void nothing(void *ctx)
{
}

static const struct xs_conn_ops ops = { nothing };

static void prepare(void)
{
	memset(guest, 0, sizeof(guest));
	xs = xs_create((uint64_t)rand());
	model.n = 0;
	struct mnode *root = &model.node[model.n++];
	*root = (struct mnode){ .path = "/", .n = 1, .p = { { 0, 0 } } };
	for (int i = 0; i < 2; i++) {
		char path[64], perms[8];
		guest[i].id = 5 + i;
		assert_int_equal(xs_domain_add(xs, (uint16_t)guest[i].id, NULL), 0);
		sprintf(path, "/local/domain/%d/data", guest[i].id);
		sprintf(perms, "n%d", guest[i].id);
		assert_int_equal(xs_mkdir(xs, path), 0);
		create(path, 0)->p[0].dom = guest[i].id;
		assert_int_equal(xs_set_perms(xs, path, perms), 0);
		guest[i].c.conn = xs_conn_open(xs, (uint16_t)guest[i].id, &ops, NULL);
		assert_non_null(guest[i].c.conn);
	}
}

static void random_operations_give_the_twins_replies(void **state)
{
	size_t live = env_host_live_bytes();
	for (unsigned int seed = 1; seed <= 40; seed++) {
		srand(seed);
		prepare();
		for (int i = 0; i < 2500; i++)
			step(&guest[rand() % 2]);
		for (int i = 0; i < 2; i++)
			xs_conn_close(guest[i].c.conn);
		for (int i = 0; i < 2; i++) {
			xs_domain_remove(xs, (uint16_t)guest[i].id);
			remove_tree(guest[i].id == 5 ? "/local/domain/5" : "/local/domain/6");
		}
		xs_destroy(xs);
		assert_int_equal(env_host_live_bytes(), live);
	}
	print_message("%u transactions committed, %u refused\n", commits, refusals);
	assert_true(commits > 1000 && refusals > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_give_the_twins_replies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
