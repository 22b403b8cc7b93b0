/* SPDX-License-Identifier: BSD-2-Clause */
/* Control from the outside: frames, sessions, objects, transactions, domains. Titles are the rules that the tests prove. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>

#include "../../../tools/lib/vfrc.h"
#include "client.h"

#define A1 0x0a00020f
#define SEC 1000000000ull

static struct world w;
static struct client cl, other;

static int open_world(void **state)
{
	return world_open(&w, 120) || client_open(&cl, &w) ? -1 : 0;
}

static int close_world(void **state)
{
	world_close(&w);
	return 0;
}

#define CALL(type, body) client_call(&cl, &w, type, &(body), sizeof(body))

static void add_base(void)
{
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d1 = m_dom("web1"), d2 = m_dom("web2");
	struct vc_slice_add s1 = m_slice(A1, "web1", 20000, 20999), s2 = m_slice(A1, "web2", 21000, 21999);

	assert_int_equal(CALL(VC_ADDR_ADD, a), 0);
	assert_int_equal(CALL(VC_DOM_CREATE, d1), 0);
	assert_int_equal(CALL(VC_DOM_CREATE, d2), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s1), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s2), 0);
}

static void assert_refused(int rc, int code, const char *name, const char *owner)
{
	assert_int_equal(rc, code);
	assert_string_equal(client_error(&cl)->name, name);
	assert_string_equal(client_error(&cl)->owner, owner);
}

static uint64_t generation(void)
{
	const struct vc_info_reply *i;

	assert_int_equal(client_call(&cl, &w, VC_INFO, NULL, 0), 0);
	i = (const void *)cl.body;
	return i->generation;
}

/* The configuration as CONFIG_READ shows it, in one piece. */
static size_t read_config(uint8_t *out)
{
	struct vc_page q = {0};
	size_t n = 0;

	do {
		struct vc_page_reply p;

		assert_int_equal(CALL(VC_CONFIG_READ, q), 0);
		memcpy(&p, cl.body, sizeof(p));
		memcpy(out + n, cl.body + sizeof(p), cl.n - sizeof(p));
		n += cl.n - sizeof(p);
		q.cursor = p.next;
	} while (q.cursor != VC_CURSOR_END);
	return n;
}

static uint16_t owner(unsigned int port)
{
	return vfr_slice_owner(w.sim->vfr, A1, VFR_TCP, port);
}

/* --- frames ------------------------------------------------------------------------------------------------------------ */

static void cobs_round_trips_any_bytes(void **state)
{
	static uint8_t in[3000], mid[4000], twin[4000], back[3000];

	srand(1);
	for (unsigned int i = 0; i < 3000; i++) {
		size_t n = i, a, b;

		for (size_t k = 0; k < n; k++)
			in[k] = i % 3 == 0 ? rand() : i % 3 == 1 ? rand() % 300 != 0 : 1 + rand() % 255;
		a = control_cobs_encode(in, n, mid);
		b = vfrc_cobs(in, n, twin);
		assert_int_equal(a + 1, b);
		assert_memory_equal(mid, twin, a);
		assert_null(memchr(mid, 0, a));
		assert_int_equal(vfrc_uncobs(mid, a, back, sizeof(back)), n);
		assert_memory_equal(in, back, n);
	}
}

static void crc_is_castagnoli(void **state)
{
	assert_int_equal(control_crc(0, "123456789", 9), 0xe3069283);
	assert_int_equal(vfrc_crc(0, "123456789", 9), 0xe3069283);
}

static void input_in_any_pieces_gives_the_same_replies(void **state)
{
	uint8_t stream[4096];

	for (size_t piece = 1; piece < 40; piece++) {
		size_t n = client_encode(&cl, VC_INFO, NULL, 0, stream), at = 0;

		while (at < n) {
			size_t k = n - at < piece ? n - at : piece;

			assert_int_equal(control_input(cl.s, stream + at, k, w.now), k);
			at += k;
		}
		assert_true(client_reply(&cl));
		assert_int_equal(cl.type, VC_INFO | VC_REPLY);
	}
}

static void half_a_message_costs_the_next_client_nothing(void **state)
{
	uint8_t stream[512];
	size_t n = client_encode(&cl, VC_INFO, NULL, 0, stream);

	for (size_t cut = 0; cut < n; cut++) {
		static const uint8_t zero;

		control_input(cl.s, stream, cut, w.now);
		assert_int_equal(control_input(cl.s, &zero, 1, w.now), 1);
		cl.len = 0;
		assert_int_equal(client_hello(&cl, &w, 100 + cut), 0);
	}
}

static void damaged_frames_are_dropped_without_an_answer(void **state)
{
	uint8_t stream[512];

	for (unsigned int i = 0; i < 2000; i++) {
		size_t n = client_encode(&cl, VC_INFO, NULL, 0, stream);
		size_t at = i % (n - 1);

		stream[at] ^= 1 << i % 8;
		control_input(cl.s, stream, n, w.now);
		control_input(cl.s, "", 1, w.now);
		assert_false(client_reply(&cl));
	}
	assert_int_equal(client_call(&cl, &w, VC_INFO, NULL, 0), 0);
}

static void a_message_beyond_the_limit_is_skipped(void **state)
{
	static uint8_t junk[200000];

	memset(junk, 0x55, sizeof(junk));
	assert_int_equal(control_input(cl.s, junk, sizeof(junk), w.now), sizeof(junk));
	control_input(cl.s, "", 1, w.now);
	cl.len = 0;
	assert_int_equal(client_call(&cl, &w, VC_INFO, NULL, 0), 0);
}

static void nothing_is_answered_before_hello_or_for_another_session(void **state)
{
	uint8_t stream[512];
	size_t n;

	cl.session++;
	n = client_encode(&cl, VC_INFO, NULL, 0, stream);
	assert_int_equal(control_input(cl.s, stream, n, w.now), n);
	assert_false(client_reply(&cl));
	control_session_reset(cl.s, w.now);
	cl.session--;
	n = client_encode(&cl, VC_INFO, NULL, 0, stream);
	control_input(cl.s, stream, n, w.now);
	assert_false(client_reply(&cl));
}

static void a_client_that_does_not_read_stops_itself_and_is_forgotten(void **state)
{
	uint8_t stream[512];
	size_t n = client_encode(&cl, VC_INFO, NULL, 0, stream), taken = 0;

	assert_int_equal(client_open(&other, &w), 0);
	cl.room = 10;
	for (unsigned int i = 0; i < 100; i++)
		taken += control_input(cl.s, stream, n, w.now);
	assert_int_equal(taken, n);
	assert_int_equal(client_call(&other, &w, VC_INFO, NULL, 0), 0);
	w.now += 31 * SEC;
	control_timer(w.c, w.now);
	cl.room = SIZE_MAX;
	cl.len = 0;
	assert_true(control_output(cl.s, w.now));
	assert_int_equal(cl.len, 0);
	assert_int_equal(client_hello(&cl, &w, 9), 0);
}

static void a_reply_leaves_in_pieces_when_the_transport_is_small(void **state)
{
	uint8_t stream[512];
	size_t n = client_encode(&cl, VC_INFO, NULL, 0, stream);

	cl.room = 1;
	assert_int_equal(control_input(cl.s, stream, n, w.now), n);
	for (unsigned int i = 0; i < 1000 && !control_output(cl.s, w.now); i++)
		cl.room = 3;
	assert_true(client_reply(&cl));
	assert_int_equal(cl.type, VC_INFO | VC_REPLY);
}

/* --- messages ---------------------------------------------------------------------------------------------------------- */

static void unknown_and_misshapen_messages_are_refused_by_name(void **state)
{
	static uint8_t zeros[4096];

	assert_refused(client_call(&cl, &w, 0x77, NULL, 0), ENOSYS, "unknown-message", "");
	assert_refused(client_call(&cl, &w, VC_WHOIS, NULL, 0), EMSGSIZE, "short-message", "");
	assert_refused(client_call(&cl, &w, VC_WHOIS, zeros, 4000), EMSGSIZE, "long-message", "");
	assert_refused(client_call(&cl, &w, VC_SLICE_ADD, zeros, 5), EMSGSIZE, "short-message", "");
	assert_refused(client_call(&cl, &w, VC_DOM_CREATE, zeros, 500), EINVAL, "bad-name", "");
	assert_refused(client_call(&cl, &w, VC_TXN_COMMIT, zeros, sizeof(struct vc_txn_commit)), EINVAL, "no-transaction", "");
}

struct bad_dom {
	const char *title, *name;
	int code;
	void (*spoil)(struct vc_dom_create *d);
};

static void d_no_memory(struct vc_dom_create *d) { d->mem_bytes = 0; }
static void d_odd_memory(struct vc_dom_create *d) { d->mem_bytes++; }
static void d_huge_memory(struct vc_dom_create *d) { d->mem_bytes = VC_MEM_MAX + 4096; }
static void d_no_cpu(struct vc_dom_create *d) { d->vcpus = 0; }
static void d_many_cpus(struct vc_dom_create *d) { d->vcpus = VC_VCPUS_MAX + 1; }
static void d_no_name(struct vc_dom_create *d) { memset(d->name, 0, sizeof(d->name)); }
static void d_open_name(struct vc_dom_create *d) { memset(d->name, 'x', sizeof(d->name)); }
static void d_slash(struct vc_dom_create *d) { d->name[1] = '/'; }
static void d_padding(struct vc_dom_create *d) { d->name[30] = 'x'; }
static void d_no_kernel(struct vc_dom_create *d) { d->kernel[0] = 0; }
static void d_flags(struct vc_dom_create *d) { d->flags = 0x8000; }
static void d_on(struct vc_dom_create *d) { d->on_crash = VC_ON_MAX; }
static void d_mac(struct vc_dom_create *d) { d->mac[0] = 1; }
static void d_mtu(struct vc_dom_create *d) { d->mtu = 100; }
static void d_cmdline(struct vc_dom_create *d) { d->cmdline_len = 10; }
static void d_reserved(struct vc_dom_create *d) { d->reserved = 1; }

static const struct bad_dom bad_doms[] = {
	{"no memory", "bad-memory", ERANGE, d_no_memory}, {"memory not in pages", "bad-memory", ERANGE, d_odd_memory},
	{"memory beyond 1 TiB", "bad-memory", ERANGE, d_huge_memory}, {"no vcpu", "bad-vcpus", ERANGE, d_no_cpu},
	{"too many vcpus", "bad-vcpus", ERANGE, d_many_cpus}, {"no name", "bad-name", EINVAL, d_no_name},
	{"name not closed", "bad-name", EINVAL, d_open_name}, {"slash in the name", "bad-name", EINVAL, d_slash},
	{"bytes behind the name", "bad-name", EINVAL, d_padding}, {"no kernel", "bad-name", EINVAL, d_no_kernel},
	{"unknown flag", "bad-value", EINVAL, d_flags}, {"unknown on_crash", "bad-value", EINVAL, d_on},
	{"group MAC", "bad-mac", EINVAL, d_mac}, {"small MTU", "bad-mtu", ERANGE, d_mtu},
	{"command line beyond the message", "bad-length", EINVAL, d_cmdline}, {"reserved byte", "reserved", EINVAL, d_reserved},
};

static void bad_domains_are_refused_by_name(void **state)
{
	for (size_t i = 0; i < sizeof(bad_doms) / sizeof(*bad_doms); i++) {
		struct vc_dom_create d = m_dom("web1");

		bad_doms[i].spoil(&d);
		print_message("  %s\n", bad_doms[i].title);
		assert_refused(CALL(VC_DOM_CREATE, d), bad_doms[i].code, bad_doms[i].name, "");
	}
	assert_int_equal(generation(), 0);
}

static void references_to_nothing_are_refused(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80);
	struct vc_rate_set r = m_rate("nobody", 1);
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d = m_dom("web1");

	assert_refused(CALL(VC_SLICE_ADD, s), ENOENT, "no-domain", "");
	assert_refused(CALL(VC_RATE_SET, r), ENOENT, "no-domain", "");
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	assert_refused(CALL(VC_SLICE_ADD, s), ENOENT, "no-address", "");
	strcpy(a.uplink, "net9");
	assert_refused(CALL(VC_ADDR_ADD, a), ENODEV, "no-uplink", "");
	w.sim->any_module = false;
	d = m_dom("web2");
	assert_refused(CALL(VC_DOM_CREATE, d), ENOENT, "no-module", "");
}

/* --- slices ------------------------------------------------------------------------------------------------------------- */

static void a_conflict_names_the_owner_and_changes_nothing(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web2", 20500, 20500);
	uint64_t g;

	add_base();
	g = generation();
	assert_refused(CALL(VC_SLICE_ADD, s), EEXIST, "slice-taken", "web1");
	s = m_slice(A1, "web2", 20000, 20999);
	assert_refused(CALL(VC_SLICE_ADD, s), EEXIST, "slice-taken", "web1");
	s = m_slice(A1, "web2", 19000, 20000);
	assert_refused(CALL(VC_SLICE_ADD, s), EEXIST, "slice-taken", "web1");
	assert_int_equal(generation(), g);
	assert_int_equal(owner(20500), owner(20000));
	assert_int_equal(owner(19000), VFR_NODOM);
}

static void a_freed_port_is_held_down_unless_forced(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80), t = m_slice(A1, "web2", 80, 80);
	struct vc_txn_begin b = {0};
	struct vc_txn_commit force = {.flags = VC_COMMIT_FORCE};

	add_base();
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, s), 0);
	assert_refused(CALL(VC_SLICE_ADD, t), EEXIST, "slice-held-down", "web1");
	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, t), 0);
	assert_int_equal(CALL(VC_TXN_COMMIT, force), 0);
	assert_int_equal(owner(80), owner(21000));
}

static void an_address_in_use_stays(void **state)
{
	struct vc_addr_add a = m_addr(A1);

	add_base();
	assert_refused(CALL(VC_ADDR_ADD | VC_DEL, a), ENOENT, "no-address", "");
	assert_int_equal(owner(20000), owner(20999));
}

static void whois_answers_from_the_audit_log(void **state)
{
	struct vc_whois q = {.port = 20080, .proto = VC_PROTO_TCP};
	const struct vc_whois_reply *r;

	add_base();
	q.addr = m_addr(A1).addr;
	assert_int_equal(CALL(VC_WHOIS, q), 0);
	r = (const void *)cl.body;
	assert_int_equal(r->answer, VC_WHOIS_HELD);
	assert_string_equal(r->dom, "web1");
	q.port = 1;
	assert_int_equal(CALL(VC_WHOIS, q), 0);
	assert_int_equal(((const struct vc_whois_reply *)cl.body)->answer, VC_WHOIS_NOBODY);
	q.utc_ns = 1;
	assert_int_equal(CALL(VC_WHOIS, q), 0);
	assert_int_equal(((const struct vc_whois_reply *)cl.body)->answer, VC_WHOIS_UNKNOWN);
}

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

static void an_unconfirmed_change_goes_back_by_itself(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80), t = m_slice(A1, "web1", 81, 81);
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {.confirm_ms = 5000};

	add_base();
	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(CALL(VC_TXN_COMMIT, m), 0);
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
	struct vc_slice_add s = m_slice(A1, "web1", 80, 80);
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {.confirm_ms = 5000};

	add_base();
	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, s), 0);
	assert_int_equal(CALL(VC_TXN_COMMIT, m), 0);
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
		{VC_TXN_BEGIN, &b, sizeof(b)}, {VC_ADDR_ADD, &a, sizeof(a)}, {VC_DOM_CREATE, &d1, sizeof(d1)}, {VC_DOM_CREATE, &d3, sizeof(d3)},
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
				control_input(cl.s, part, client_encode(&cl, msgs[kill].type, msgs[kill].body, msgs[kill].n, part) / 2, w.now);
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
		rules.rule[i] = (struct vc_rule){.dirs = 1, .action = rand() % 3, .proto_set = 1, .proto = 6, .ndst = 1, .dports = {{1, 1 + rand() % 65535}}};
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
	struct vc_rollback q = {.generation = 1};
	struct vc_page page = {0};

	add_base();
	for (unsigned int i = 0; i < 20; i++) {
		struct vc_rate_set r = m_rate("web1", 1000 + i);

		assert_int_equal(CALL(VC_RATE_SET, r), 0);
	}
	assert_refused(CALL(VC_ROLLBACK, q), ENOENT, "no-generation", "");
	assert_int_equal(CALL(VC_HISTORY, page), 0);
	assert_int_equal(((const struct vc_page_reply *)cl.body)->count, 16);
}

/* --- domains ------------------------------------------------------------------------------------------------------------- */

static const struct vc_dom_rec *dom_record(const char *name)
{
	struct vc_page q = {0};
	const struct vc_page_reply *p;
	const struct vc_dom_rec *r;

	assert_int_equal(CALL(VC_DOM_LIST, q), 0);
	p = (const void *)cl.body;
	r = (const void *)(p + 1);
	for (uint32_t i = 0; i < p->count; i++)
		if (!strcmp(r[i].name, name))
			return &r[i];
	return NULL;
}

static void a_domain_that_stops_does_as_on_says(void **state)
{
	struct vc_dom_create d = m_dom("web1");
	const struct vc_dom_rec *r;

	d.on_reboot = VC_ON_RESTART;
	d.on_crash = VC_ON_PRESERVE;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	control_dom_exited(w.c, 1, VC_DOM_RUNNING, "reboot", w.now);
	r = dom_record("web1");
	assert_int_equal(r->state, VC_DOM_RUNNING);
	assert_int_equal(r->restarts, 1);
	control_dom_exited(w.c, 1, VC_DOM_CRASHED, "triple fault", w.now);
	r = dom_record("web1");
	assert_int_equal(r->state, VC_DOM_CRASHED);
	assert_string_equal(r->reason, "triple fault");
	assert_true(w.sim->dom[1].used);
	d.on_crash = VC_ON_RESTART;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
}

static void a_crash_loop_has_a_brake(void **state)
{
	struct vc_dom_create d = m_dom("web1");

	d.on_crash = VC_ON_RESTART;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	w.now += 5 * SEC;
	control_dom_exited(w.c, 1, VC_DOM_CRASHED, "triple fault", w.now);
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	w.now += SEC / 2;
	control_dom_exited(w.c, 1, VC_DOM_CRASHED, "triple fault", w.now);
	assert_int_equal(dom_record("web1")->state, VC_DOM_CRASHED);
	assert_int_equal(dom_record("web1")->restarts, 1);
}

static void a_domain_keeps_number_and_slices_over_a_reboot(void **state)
{
	struct vc_dom_op op = {.name = "web1"};
	uint16_t id;

	add_base();
	id = owner(20000);
	assert_int_equal(CALL(VC_DOM_STOP, op), 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_STOPPED);
	assert_int_equal(owner(20000), id);
	assert_int_equal(CALL(VC_DOM_REBOOT, op), 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	assert_int_equal(dom_record("web1")->domid, id);
	assert_int_equal(CALL(VC_DOM_PAUSE, op), 0);
	assert_refused(CALL(VC_DOM_PAUSE, op), EINVAL, "bad-state", "");
}

static void destroying_a_domain_takes_all_that_names_it(void **state)
{
	struct vc_dom_create d = m_dom("web1");
	struct vc_rate_set r = m_rate("web1", 1000000);

	add_base();
	assert_int_equal(CALL(VC_RATE_SET, r), 0);
	assert_int_equal(CALL(VC_DOM_CREATE | VC_DEL, d), 0);
	assert_null(dom_record("web1"));
	assert_int_equal(owner(20000), VFR_NODOM);
	assert_refused(CALL(VC_DOM_CREATE | VC_DEL, d), ENOENT, "no-such-object", "");
	assert_false(w.sim->dom[1].used);
}

static void console_is_read_from_an_offset_and_written(void **state)
{
	struct {
		struct vc_console_write h;
		char bytes[4];
	} wr = {{"web1"}, "ping"};
	struct vc_console_read rd = {.name = "web1"};
	const struct vc_console_read_reply *r;

	add_base();
	assert_int_equal(CALL(VC_CONSOLE_READ, rd), 0);
	r = (const void *)cl.body;
	rd.offset = r->end;
	assert_int_equal(CALL(VC_CONSOLE_WRITE, wr), 0);
	assert_int_equal(CALL(VC_CONSOLE_READ, rd), 0);
	assert_int_equal(cl.n, sizeof(*r) + 10);
	assert_memory_equal(cl.body + sizeof(*r), "pingpong\r\n", 10);
}

static void a_wait_ends_with_news_with_time_or_silently(void **state)
{
	struct vc_wait_req q = {.what = VC_WAIT_CONSOLE, .timeout_ms = 1000, .dom = "web1"};
	struct vc_console_read rd = {.name = "web1"};
	uint8_t stream[512];

	add_base();
	assert_int_equal(CALL(VC_CONSOLE_READ, rd), 0);
	q.console_off = ((const struct vc_console_read_reply *)cl.body)->end;
	control_input(cl.s, stream, client_encode(&cl, VC_WAIT, &q, sizeof(q), stream), w.now);
	assert_false(client_reply(&cl));
	sim_console(w.sim, 1, "x", 1);
	assert_true(client_reply(&cl));
	assert_int_equal(((const struct vc_wait_reply *)cl.body)->news, VC_WAIT_CONSOLE);
	q.console_off++;
	control_input(cl.s, stream, client_encode(&cl, VC_WAIT, &q, sizeof(q), stream), w.now);
	w.now += 2 * SEC;
	control_timer(w.c, w.now);
	assert_true(client_reply(&cl));
	assert_int_equal(((const struct vc_wait_reply *)cl.body)->news, 0);
	control_input(cl.s, stream, client_encode(&cl, VC_WAIT, &q, sizeof(q), stream), w.now);
	assert_int_equal(client_call(&cl, &w, VC_INFO, NULL, 0), 0);
	sim_console(w.sim, 1, "x", 1);
	assert_false(client_reply(&cl));
}

/* --- uploads ------------------------------------------------------------------------------------------------------------- */

static void an_upload_comes_in_order_or_not_at_all(void **state)
{
	struct vc_blob_begin b = {.name = "k", .size = 10};
	struct {
		struct vc_blob_put h;
		char bytes[5];
	} put = {{.name = "k"}, "01234"};
	struct vc_blob_name e = {"k"};

	w.sim->any_module = false;
	assert_refused(CALL(VC_BLOB_PUT, put), EINVAL, "no-upload", "");
	assert_int_equal(CALL(VC_BLOB_BEGIN, b), 0);
	assert_int_equal(CALL(VC_BLOB_PUT, put), 0);
	assert_refused(CALL(VC_BLOB_PUT, put), EINVAL, "bad-offset", "");
	assert_refused(CALL(VC_BLOB_END, e), EINVAL, "not-complete", "");
	put.h.offset = 5;
	assert_int_equal(CALL(VC_BLOB_PUT, put), 0);
	assert_int_equal(CALL(VC_BLOB_END, e), 0);
	assert_refused(CALL(VC_BLOB_BEGIN, b), EEXIST, "module-exists", "");
	assert_int_equal(CALL(VC_BLOB_DEL, e), 0);
	assert_int_equal(CALL(VC_BLOB_BEGIN, b), 0);
	control_session_close(cl.s, w.now);
	for (unsigned int i = 0; i < SIM_BLOBS; i++)
		assert_false(w.sim->blob[i].used);
}

/* --- boot plan ----------------------------------------------------------------------------------------------------------- */

struct plan {
	struct vc_plan head;
	uint8_t body[4096];
};

static void plan_add(struct plan *p, uint16_t type, const void *body, size_t n)
{
	p->head.length += vfrc_message((uint8_t *)p + p->head.length, type, p->head.messages++, 0, body, n);
}

static void plan_start(struct plan *p)
{
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d1 = m_dom("web1"), d2 = m_dom("web2");
	struct vc_slice_add s1 = m_slice(A1, "web1", 20000, 20999), s2 = m_slice(A1, "web2", 20500, 20600);

	memset(p, 0, sizeof(*p));
	p->head = (struct vc_plan){.magic = VC_PLAN_MAGIC, .version = VC_VERSION, .length = sizeof(p->head)};
	plan_add(p, VC_ADDR_ADD, &a, sizeof(a));
	plan_add(p, VC_DOM_CREATE, &d1, sizeof(d1));
	plan_add(p, VC_DOM_CREATE, &d2, sizeof(d2));
	plan_add(p, VC_SLICE_ADD, &s1, sizeof(s1));
	plan_add(p, VC_SLICE_ADD, &s2, sizeof(s2));
}

static void a_plan_skips_what_is_refused_and_goes_on(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web2", 30000, 30000), lost = m_slice(A1, "nobody", 30001, 30001);
	struct plan p;

	plan_start(&p);
	plan_add(&p, VC_SLICE_ADD, &lost, sizeof(lost));
	plan_add(&p, VC_INFO, NULL, 0);
	plan_add(&p, VC_SLICE_ADD, &s, 10);
	plan_add(&p, VC_SLICE_ADD, &s, sizeof(s));
	plan_add(&p, VC_SLICE_ADD, &s, sizeof(s));
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), 5);
	assert_int_equal(owner(20500), owner(20000));
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	assert_int_equal(dom_record("web2")->state, VC_DOM_RUNNING);
	assert_int_equal(owner(30000), dom_record("web2")->domid);
	assert_int_equal(generation(), 1);
}

static void a_plan_cut_anywhere_keeps_what_is_whole(void **state)
{
	struct plan p;

	plan_start(&p);
	for (uint32_t n = 0; n < p.head.length; n += 3) {
		struct plan cut = p;
		int rc;

		cut.head.length = n;
		rc = control_boot_plan(w.c, &cut, n, w.now);
		assert_true(n < sizeof(cut.head) ? rc < 0 : rc > 0);
		close_world(NULL);
		assert_int_equal(open_world(NULL), 0);
	}
	p.head.magic++;
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), -EBADMSG);
	p.head.magic--;
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length - 1, w.now), -EMSGSIZE);
	p.head.version++;
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), -EPROTONOSUPPORT);
}

static void configuration_and_plan_are_the_same_bytes(void **state)
{
	static uint8_t a[65536], b[65536];
	struct plan p = {.head = {.magic = VC_PLAN_MAGIC, .version = VC_VERSION, .length = sizeof(p.head)}};
	size_t n, at = 0;

	add_base();
	n = read_config(a);
	while (at < n) {
		struct vc_object o;

		memcpy(&o, a + at, sizeof(o));
		plan_add(&p, o.type, a + at + sizeof(o), o.length);
		at += sizeof(o) + o.length;
	}
	close_world(NULL);
	assert_int_equal(open_world(NULL), 0);
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), 0);
	assert_int_equal(read_config(b), n);
	assert_memory_equal(a, b, n);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(cobs_round_trips_any_bytes), T(crc_is_castagnoli), T(input_in_any_pieces_gives_the_same_replies),
		T(half_a_message_costs_the_next_client_nothing), T(damaged_frames_are_dropped_without_an_answer),
		T(a_message_beyond_the_limit_is_skipped), T(nothing_is_answered_before_hello_or_for_another_session),
		T(a_client_that_does_not_read_stops_itself_and_is_forgotten), T(a_reply_leaves_in_pieces_when_the_transport_is_small),
		T(unknown_and_misshapen_messages_are_refused_by_name), T(bad_domains_are_refused_by_name), T(references_to_nothing_are_refused),
		T(a_conflict_names_the_owner_and_changes_nothing), T(a_freed_port_is_held_down_unless_forced), T(an_address_in_use_stays),
		T(whois_answers_from_the_audit_log), T(nothing_shows_before_the_commit), T(a_refused_step_undoes_those_before_it),
		T(a_domain_that_cannot_be_built_leaves_no_trace), T(a_second_client_waits_its_turn_and_a_dead_one_loses_it), T(a_stale_base_is_refused),
		T(an_unconfirmed_change_goes_back_by_itself), T(a_confirmed_change_stays), T(an_apply_killed_at_any_message_leaves_old_or_new),
		T(a_thousand_random_edits_rolled_back_are_no_edit), T(history_keeps_sixteen_and_says_so), T(a_domain_that_stops_does_as_on_says),
		T(a_crash_loop_has_a_brake), T(a_domain_keeps_number_and_slices_over_a_reboot), T(destroying_a_domain_takes_all_that_names_it),
		T(console_is_read_from_an_offset_and_written), T(a_wait_ends_with_news_with_time_or_silently),
		T(an_upload_comes_in_order_or_not_at_all), T(a_plan_skips_what_is_refused_and_goes_on), T(a_plan_cut_anywhere_keeps_what_is_whole),
		T(configuration_and_plan_are_the_same_bytes),
	};

	env_host_log_level(-1);
	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
