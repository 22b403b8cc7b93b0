/* SPDX-License-Identifier: BSD-2-Clause */
/* What rules matched, as clients are told. */
#include "fixture.h"

struct rule_list {
	struct vc_rule_set head;
	struct vc_rule rule[VC_RULES_MAX];
};

static struct vc_rule m_rule(enum vc_rule_action action, uint16_t port)
{
	return (struct vc_rule){.dirs = VC_RULE_IN, .action = action, .proto_set = 1, .proto = 6, .ndst = 1, .dports = {{port, port}}};
}

static int set_rules(struct rule_list *l, unsigned int n)
{
	l->head.count = n;
	return client_call(&cl, &w, VC_RULE_SET, l, sizeof(l->head) + n * sizeof(l->rule[0]));
}

/* => all records, in order; *pages: replies that it took. */
static unsigned int read_hits(struct vc_rule_rec *out, unsigned int max, unsigned int *pages)
{
	const struct vc_page_reply *p = (const void *)cl.body;
	struct vc_page q = {0};
	unsigned int n = 0;

	for (*pages = 0; q.cursor != VC_CURSOR_END; q.cursor = p->next) {
		assert_int_equal(CALL(VC_RULE_LIST, q), 0);
		assert_int_equal(p->record, sizeof(*out));
		assert_true(n + p->count <= max);
		memcpy(out + n, p + 1, p->count * sizeof(*out));
		n += p->count;
		++*pages;
	}
	return n;
}

static void is_rule(const struct vc_rule_rec *r, const char *dom, unsigned int number, unsigned int packets)
{
	assert_string_equal(r->dom, dom);
	assert_int_equal(r->number, number);
	assert_int_equal(r->hits.packets, packets);
	assert_int_equal(r->hits.bytes, packets * 54);
}

static void each_rule_tells_what_it_matched(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web1", 80, 89), t = m_slice(A1, "web2", 90, 99);
	static struct rule_list own = {.head = {.dom = "web1", .def_in = VC_RULE_REJECT}}, all;
	struct vc_rule_rec r[16];
	unsigned int pages;

	add_base();
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, t), 0);
	assert_int_equal(read_hits(r, 16, &pages), 0);
	own.rule[0] = m_rule(VC_RULE_ALLOW, 80);
	own.rule[0].ndst = 2;
	own.rule[0].dports[1] = (struct vc_port_range){81, 81};
	own.rule[1] = m_rule(VC_RULE_DENY, 82);
	assert_int_equal(set_rules(&own, 2), 0);
	all.rule[0] = m_rule(VC_RULE_PASS, 82);
	all.rule[1] = m_rule(VC_RULE_DENY, 98);
	assert_int_equal(set_rules(&all, 2), 0);

	/* Two ranges of one rule are one figure; the second packet to 80 is of a connection, which no rule is asked for. */
	static const uint16_t to[] = {80, 80, 81, 82, 82, 82, 83, 97, 98, 98};
	for (size_t i = 0; i < ENV_ARRAY_SIZE(to); i++)
		sim_packet(w.sim, A1, to[i]);
	assert_int_equal(read_hits(r, 16, &pages), 5);
	unsigned int g = r[0].dom[0] ? 3 : 0, d = g ? 0 : 2;
	is_rule(&r[d], "web1", 1, 2);
	is_rule(&r[d + 1], "web1", 2, 3);
	is_rule(&r[d + 2], "web1", 3, 1);
	is_rule(&r[g], "", 1, 3);
	is_rule(&r[g + 1], "", 2, 2);
}

/* What is ahead of a change and behind it goes on counting. */
static void a_change_keeps_the_counts_around_it(void **state)
{
	static struct rule_list own = {.head = {.dom = "web1"}};
	struct vc_slice_add s = m_slice(A1, "web1", 80, 89);
	struct vc_rule_rec r[4];
	unsigned int pages;

	add_base();
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	for (unsigned int i = 0; i < 3; i++)
		own.rule[i] = m_rule(VC_RULE_DENY, 80 + i);
	assert_int_equal(set_rules(&own, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		for (unsigned int k = 0; k <= i; k++)
			sim_packet(w.sim, A1, 80 + i);
	own.rule[3] = own.rule[2];
	own.rule[2] = own.rule[1];
	own.rule[1] = m_rule(VC_RULE_REJECT, 85);
	assert_int_equal(set_rules(&own, 4), 0);
	assert_int_equal(read_hits(r, 4, &pages), 4);
	is_rule(&r[0], "web1", 1, 1);
	is_rule(&r[1], "web1", 2, 0);
	is_rule(&r[2], "web1", 3, 2);
	is_rule(&r[3], "web1", 4, 3);
	sim_packet(w.sim, A1, 81);
	own.rule[2] = m_rule(VC_RULE_DENY, 86);
	assert_int_equal(set_rules(&own, 4), 0);
	assert_int_equal(read_hits(r, 4, &pages), 4);
	is_rule(&r[0], "web1", 1, 1);
	is_rule(&r[2], "web1", 3, 0);
	is_rule(&r[3], "web1", 4, 3);
	assert_int_equal(set_rules(&own, 1), 0);
	assert_int_equal(read_hits(r, 4, &pages), 1);
	is_rule(&r[0], "web1", 1, 1);
}

static void long_lists_come_in_pages(void **state)
{
	static struct rule_list l = {.head = {.def_in = VC_RULE_DENY}};
	static struct vc_rule_rec r[4 * VC_RULES_MAX];
	static const char *const names[] = {"web1", "web2", ""};
	unsigned int pages;

	add_base();
	for (unsigned int i = 0; i < VC_RULES_MAX; i++)
		l.rule[i] = m_rule(VC_RULE_ALLOW, 1000 + i);
	for (size_t i = 0; i < ENV_ARRAY_SIZE(names); i++) {
		strncpy(l.head.dom, names[i], sizeof(l.head.dom));
		assert_int_equal(set_rules(&l, VC_RULES_MAX), 0);
	}
	assert_int_equal(read_hits(r, ENV_ARRAY_SIZE(r), &pages), 3 * (VC_RULES_MAX + 1));
	assert_true(pages > 1);
	for (unsigned int i = 0; i < 3 * (VC_RULES_MAX + 1); i++)
		is_rule(&r[i], r[i].dom, 1 + i % (VC_RULES_MAX + 1), 0);
	assert_string_not_equal(r[0].dom, r[VC_RULES_MAX + 1].dom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(each_rule_tells_what_it_matched),
		T(a_change_keeps_the_counts_around_it),
		T(long_lists_come_in_pages),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
