/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation fails, n = 0, 1, 2, ... until a run is clean: each time control is as it was or as it should be, and gives all
 * back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>

#include "client.h"

#define A1 0x0a00020f

static struct client cl;

/* Everything that allocates; results may be refusals, but never half a change. */
static void script(struct world *w)
{
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {0};
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d = m_dom("web1");
	struct vc_slice_add s = m_slice(A1, "web1", 20000, 20999);
	struct vc_rate_set r = m_rate("web1", 1000000);
	struct {
		struct vc_rule_set head;
		struct vc_rule rule;
	} rules = {.head = {.dom = "web1", .count = 1}, .rule = {.dirs = 3, .action = VC_RULE_DENY}};
	struct vc_rollback back = {0};

	client_call(&cl, w, VC_TXN_BEGIN, &b, sizeof(b));
	client_call(&cl, w, VC_ADDR_ADD, &a, sizeof(a));
	client_call(&cl, w, VC_DOM_CREATE, &d, sizeof(d));
	client_call(&cl, w, VC_SLICE_ADD, &s, sizeof(s));
	client_call(&cl, w, VC_TXN_COMMIT, &m, sizeof(m));
	client_call(&cl, w, VC_RATE_SET, &r, sizeof(r));
	client_call(&cl, w, VC_RULE_SET, &rules, sizeof(rules));
	client_call(&cl, w, VC_ROLLBACK, &back, sizeof(back));
	client_call(&cl, w, VC_DOM_CREATE | VC_DEL, &d, sizeof(d));
}

/* The router's slices and the configuration's agree. */
static void check_agreement(struct world *w)
{
	struct vc_page q = {.type = VC_SLICE_ADD};
	const struct vc_page_reply *p;

	assert_int_equal(client_call(&cl, w, VC_CONFIG_READ, &q, sizeof(q)), 0);
	p = (const void *)cl.body;
	assert_int_equal(p->count != 0, vfr_slice_owner(w->sim->vfr, A1, VFR_TCP, 20000) != VFR_NODOM);
}

static void every_allocation_may_fail(void **state)
{
	struct world w;
	long n, ran = 0;

	env_host_log_level(-1);
	for (n = 0;; n++) {
		bool clean;
		void *probe;

		env_host_fail_after(-1);
		assert_int_equal(world_open(&w, 120), 0);
		assert_int_equal(client_open(&cl, &w), 0);
		env_host_fail_after(n);
		script(&w);
		/* The fault was met if the next allocation does not fail. */
		probe = env_alloc(1);
		clean = !probe;
		env_free(probe, 1);
		env_host_fail_after(-1);
		check_agreement(&w);
		world_close(&w);
		assert_int_equal(env_host_live_blocks(), 0);
		if (clean)
			break;
		ran++;
	}
	print_message("  %ld allocations failed one after the other\n", ran);
	assert_true(ran > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

	return cmocka_run_group_tests_name("control: memory", tests, NULL, NULL);
}
