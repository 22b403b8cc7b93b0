/* SPDX-License-Identifier: BSD-2-Clause */
/* Transactions, generations, confirmation: all or nothing, and back. */
#include "fixture.h"

/* --- transactions ------------------------------------------------------------------------------------------------------- */

static void nothing_shows_before_the_commit(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80);
	struct vc_txn_begin b = {.note = "test"};
	struct vc_txn_commit m = {0};
	uint64_t g;

	add_base();
	g = generation();
	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(owner(80), VFR_NODOM);
	assert_int_equal(generation(), g);
	assert_int_equal(CALL(VC_TXN_COMMIT, m), 0);
	assert_int_equal(owner(80), owner(20000));
	assert_int_equal(generation(), g + 1);
}

static void at_most_65536_objects(void **state)
{
	struct vc_txn_begin b = {0};

	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	for (uint32_t i = 0; i < 65536; i++) {
		struct vc_addr_add a = m_addr(A1 + i);

		assert_int_equal(CALL(VC_ADDR_ADD, a), 0);
	}
	struct vc_addr_add more = m_addr(A1 + 65536), again = m_addr(A1 + 7);
	assert_refused(CALL(VC_ADDR_ADD, more), ENOSPC, "too-many-objects", "");
	assert_int_equal(CALL(VC_ADDR_ADD, again), 0);
	assert_int_equal(client_call(&cl, &w, VC_TXN_ABORT, NULL, 0), 0);
	add_base();
}

static void a_refused_step_undoes_those_before_it(void **state)
{
	struct vc_slice_add s1 = m_slice(A1, "web1", 80, 80), s2 = m_slice(A1, "web2", 443, 443);
	struct vc_rate_set r = m_rate("web1", 0);
	struct vc_dom_create d = m_dom("web3");
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {0};
	static uint8_t before[65536], after[65536];
	size_t n;

	add_base();
	n = read_config(before);
	r.out_guarantee_bps = 2000000000;
	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s1), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s2), 0);
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	assert_int_equal(CALL(VC_RATE_SET, r), 0);
	assert_refused(CALL(VC_TXN_COMMIT, m), EDQUOT, "over-committed", "");
	assert_int_equal(owner(80), VFR_NODOM);
	assert_int_equal(owner(443), VFR_NODOM);
	assert_string_equal(control_dom_name(w.c, 3), "");
	assert_int_equal(read_config(after), n);
	assert_memory_equal(before, after, n);
}

static void a_domain_that_cannot_be_built_leaves_no_trace(void **state)
{
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {0};
	uint64_t mem;

	add_base();
	mem = w.sim->mem_free;
	for (int nth = 0; nth < 3; nth++) {
		w.sim->fail_create = nth;
		assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
		for (int i = 0; i < 3; i++) {
			struct vc_dom_create d = m_dom((const char *[]){"a", "b", "c"}[i]);

			assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
		}
		assert_refused(CALL(VC_TXN_COMMIT, m), EIO, "simulated", "");
		assert_int_equal(client_error(&cl)->index, 1 + nth);
		assert_int_equal(w.sim->mem_free, mem);
	}
	w.sim->fail_create = -1;
}

static void a_second_client_waits_its_turn_and_a_dead_one_loses_it(void **state)
{
	struct vc_txn_begin b = {0};
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80);

	add_base();
	assert_int_equal(client_open(&other, &w), 0);
	assert_int_equal(client_call(&other, &w, VC_TXN_BEGIN, &b, sizeof(b)), 0);
	assert_refused(CALL(VC_TXN_BEGIN, b), EBUSY, "transaction-open", "");
	assert_refused(CALL(VC_SLICE_ADD, s), EBUSY, "transaction-open", "");
	control_session_close(other.s, w.now);
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(client_open(&other, &w), 0);
	assert_int_equal(client_call(&other, &w, VC_TXN_BEGIN, &b, sizeof(b)), 0);
	w.now += 61 * SEC;
	control_timer(w.c, w.now);
	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, s), 0);
}

static void a_stale_base_is_refused(void **state)
{
	struct vc_txn_begin b = {.base = 1};

	add_base();
	assert_refused(CALL(VC_TXN_BEGIN, b), ESTALE, "stale-base", "");
}

/* Port 80 is web1's if that is confirmed within 5 s. */
static void add_port_to_be_confirmed(void)
{
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80);
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {.confirm_ms = 5000};

	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(CALL(VC_TXN_COMMIT, m), 0);
}

static void an_unconfirmed_change_goes_back_by_itself(void **state)
{
	struct vc_slice_add t = m_slice(A1, "web1", 81, 81);

	add_base();
	add_port_to_be_confirmed();
	assert_refused(CALL(VC_SLICE_ADD, t), EBUSY, "unconfirmed", "");
	/* The connection dies: the timer is not the client's. */
	control_session_close(cl.s, w.now);
	w.now += 4 * SEC;
	control_timer(w.c, w.now);
	assert_int_equal(owner(80), owner(20000));
	w.now += 2 * SEC;
	control_timer(w.c, w.now);
	assert_int_equal(owner(80), VFR_NODOM);
	assert_int_equal(client_open(&cl, &w), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, t), 0);
}

static void a_confirmed_change_stays(void **state)
{
	add_base();
	add_port_to_be_confirmed();
	assert_int_equal(client_call(&cl, &w, VC_CONFIRM, NULL, 0), 0);
	w.now += 60 * SEC;
	control_timer(w.c, w.now);
	assert_int_equal(owner(80), owner(20000));
	assert_refused(client_call(&cl, &w, VC_CONFIRM, NULL, 0), EINVAL, "nothing-to-confirm", "");
}

/* The messages of an apply, cut off after each: the configuration is the old one until the last, then the new one. */
static void an_apply_killed_at_any_message_leaves_old_or_new(void **state)
{
	struct vc_txn_begin b = {.flags = VC_TXN_REPLACE};
	struct vc_txn_commit m = {0};
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d1 = m_dom("web1"), d3 = m_dom("web3");
	struct vc_slice_add s1 = m_slice(A1, "web1", 20000, 20999), s3 = m_slice(A1, "web3", 22000, 22999);
	const struct {
		uint16_t type;
		const void *body;
		size_t n;
	} msgs[] = {
		{VC_TXN_BEGIN, &b, sizeof(b)}, {VC_ADDR_ADD, &a, sizeof(a)}, {VC_DOM_CREATE, &d1, sizeof(d1)},
		{VC_DOM_CREATE, &d3, sizeof(d3)},
		{VC_SLICE_ADD, &s1, sizeof(s1)}, {VC_SLICE_ADD, &s3, sizeof(s3)}, {VC_TXN_COMMIT, &m, sizeof(m)},
	};
	const size_t count = sizeof(msgs) / sizeof(*msgs);
	static uint8_t old[65536], now[65536], part[512];
	size_t n;

	add_base();
	n = read_config(old);
	for (size_t kill = 0; kill <= count; kill++) {
		for (unsigned int half = 0; half < 2 && kill < count; half++) {
			for (size_t i = 0; i < kill; i++)
				assert_int_equal(client_call(&cl, &w, msgs[i].type, msgs[i].body, msgs[i].n), 0);
			if (half)
				control_input(cl.s, part, client_encode(&cl, msgs[kill].type, msgs[kill].body, msgs[kill].n, part) / 2,
					      w.now);
			control_session_close(cl.s, w.now);
			assert_int_equal(client_open(&cl, &w), 0);
			assert_int_equal(read_config(now), n);
			assert_memory_equal(old, now, n);
		}
	}
	for (size_t i = 0; i < count; i++)
		assert_int_equal(client_call(&cl, &w, msgs[i].type, msgs[i].body, msgs[i].n), 0);
	control_session_close(cl.s, w.now);
	assert_int_equal(client_open(&cl, &w), 0);
	assert_int_equal(owner(21000), VFR_NODOM);
	assert_true(owner(22000) != VFR_NODOM);
}

/* One random edit. Refusals are part of it: they must change nothing. */
static void random_edit(void)
{
	static const char *const names[] = {"web1", "web2", "web3", "web4"};
	const char *name = names[rand() % 4];
	unsigned int first = 20000 + rand() % 40 * 100;
	struct vc_slice_add s = m_slice(A1, name, first, first + rand() % 250);
	struct vc_rate_set r = m_rate(name, 1 + rand());
	struct vc_dom_create d = m_dom(name);
	struct {
		struct vc_rule_set head;
		struct vc_rule rule[3];
	} rules = {.head = {.count = 1 + rand() % 3}};

	strcpy(rules.head.dom, name);
	for (unsigned int i = 0; i < 3; i++)
		rules.rule[i] = (struct vc_rule){.dirs = 1, .action = rand() % 3, .proto_set = 1, .proto = 6, .ndst = 1,
						 .dports = {{1, 1 + rand() % 65535}}};
	d.mem_bytes += rand() % 3 * 4096;
	switch (rand() % 8) {
	case 0: CALL(VC_DOM_CREATE, d); break;
	case 1: CALL(VC_RATE_SET, r); break;
	case 2: client_call(&cl, &w, VC_RULE_SET, &rules, sizeof(rules.head) + rules.head.count * sizeof(rules.rule[0])); break;
	case 3: CALL(VC_SLICE_ADD | VC_DEL, s); break;
	case 4: if (rand() % 4 == 0) CALL(VC_DOM_CREATE | VC_DEL, d); break;
	default: CALL(VC_SLICE_ADD, s);
	}
}

static void router_slices(uint16_t *out)
{
	for (unsigned int p = 1; p < 65536; p++)
		out[p] = owner(p);
}

static void a_thousand_random_edits_rolled_back_are_no_edit(void **state)
{
	static uint8_t before[262144], after[262144];
	static uint16_t ports[65536], ports_after[65536];

	add_base();
	srand(7);
	for (unsigned int round = 0; round < 100; round++) {
		size_t n = read_config(before);
		uint64_t g = generation();
		struct vc_rollback q = {.generation = g};

		if (round % 10 == 0)
			router_slices(ports);
		for (unsigned int i = 0; i < 10; i++)
			random_edit();
		assert_true(generation() - g <= 10);
		assert_int_equal(CALL(VC_ROLLBACK, q), 0);
		assert_int_equal(read_config(after), n);
		assert_memory_equal(before, after, n);
		if (round % 10 == 0) {
			router_slices(ports_after);
			for (unsigned int p = 1; p < 65536; p++)
				assert_int_equal(ports[p] == VFR_NODOM, ports_after[p] == VFR_NODOM);
		}
		/* Move on, so that the rounds start from different places. */
		random_edit();
	}
}

static void history_keeps_sixteen_and_says_so(void **state)
{
	struct vc_rollback q = {.generation = 1}, one_back = {0};
	struct vc_page page = {0};

	assert_refused(CALL(VC_ROLLBACK, one_back), ENOENT, "no-generation", "");
	assert_non_null(strstr(client_error(&cl)->text, "nothing to go back to"));
	add_base();
	for (unsigned int i = 0; i < 20; i++) {
		struct vc_rate_set r = m_rate("web1", 1000 + i);

		assert_int_equal(CALL(VC_RATE_SET, r), 0);
	}
	assert_refused(CALL(VC_ROLLBACK, q), ENOENT, "no-generation", "");
	page.generation = 1;
	assert_refused(CALL(VC_CONFIG_READ, page), ENOENT, "no-generation", "");
	assert_non_null(strstr(client_error(&cl)->text, " to "));
	page.generation = 0;
	assert_int_equal(CALL(VC_HISTORY, page), 0);
	assert_int_equal(((const struct vc_page_reply *)cl.body)->count, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nothing_shows_before_the_commit), T(at_most_65536_objects), T(a_refused_step_undoes_those_before_it),
		T(a_domain_that_cannot_be_built_leaves_no_trace), T(a_second_client_waits_its_turn_and_a_dead_one_loses_it),
		T(a_stale_base_is_refused), T(an_unconfirmed_change_goes_back_by_itself), T(a_confirmed_change_stays),
		T(an_apply_killed_at_any_message_leaves_old_or_new), T(a_thousand_random_edits_rolled_back_are_no_edit),
		T(history_keeps_sixteen_and_says_so),
	};

	env_host_log_level(-1);
	return cmocka_run_group_tests_name("control: transactions", tests, NULL, NULL);
}
