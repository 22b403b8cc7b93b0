/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames, sessions, messages and slices. Titles are the rules that the tests prove. */
#include <audit/audit.h>

#include "../../../tools/lib/vfrc.h"
#include "fixture.h"

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

#define A2 0x0a000210

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

/* What a domain with several slices is told, and what its private address leaves by: most of what it has. */
static void dhcp_and_translation_take_the_address_of_most_ports(void **state)
{
	struct vc_slice_add listen = m_slice(A1, "web2", 443, 443), base = m_slice(A1, "web2", 21000, 21999);
	struct vc_slice_add range = m_slice(A2, "web2", 4096, 8191), inner = m_slice(0x0a000005, "web2", 0, 0);
	struct vc_addr_add second = m_addr(A2);
	struct vfr_domain_cfg cfg;
	struct vfr_dhcp_cfg dhcp;
	uint16_t domid;

	add_base();
	assert_int_equal(CALL(VC_ADDR_ADD, second), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, listen), 0);
	domid = owner(443);
	assert_int_equal(vfr_dhcp_get(w.sim->vfr, domid, &dhcp), 0);
	assert_int_equal(dhcp.addr, A1);
	assert_int_equal(CALL(VC_SLICE_ADD, range), 0);
	assert_int_equal(vfr_dhcp_get(w.sim->vfr, domid, &dhcp), 0);
	assert_int_equal(dhcp.addr, A2);
	/* An aligned power of two is a port set of RFC 7618: four bits, 0001. */
	assert_true(dhcp.port_params);
	assert_int_equal(dhcp.psid_offset, 0);
	assert_int_equal(dhcp.psid_len, 4);
	assert_int_equal(dhcp.psid, 1);

	inner.kind = VC_SLICE_INTERNAL;
	inner.protos = 0;
	assert_int_equal(CALL(VC_SLICE_ADD, inner), 0);
	assert_int_equal(vfr_domain_get(w.sim->vfr, domid, &cfg), 0);
	assert_int_equal(cfg.nat_addr, A2);
	assert_int_equal(vfr_dhcp_get(w.sim->vfr, domid, &dhcp), 0);
	assert_int_equal(dhcp.addr, 0x0a000005);
	assert_false(dhcp.port_params);

	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, range), 0);
	assert_int_equal(vfr_domain_get(w.sim->vfr, domid, &cfg), 0);
	assert_int_equal(cfg.nat_addr, A1);
	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, inner), 0);
	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, listen), 0);
	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, base), 0);
	assert_int_equal(vfr_dhcp_get(w.sim->vfr, domid, &dhcp), 0);
	assert_int_equal(dhcp.lease_s, 0);
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

static void assert_held(struct vc_whois q, const char *dom)
{
	const struct vc_whois_reply *r;

	assert_int_equal(CALL(VC_WHOIS, q), 0);
	r = (const void *)cl.body;
	assert_int_equal(r->answer, dom ? VC_WHOIS_HELD : VC_WHOIS_NOBODY);
	assert_string_equal(r->dom, dom ? dom : "");
}

static void whois_knows_whole_addresses_prefixes_and_protocols(void **state)
{
	const struct vc_ip net6 = {{0x20, 1, 0x0d, 0xb8, 0, 1}}, in6 = {{0x20, 1, 0x0d, 0xb8, 0, 1, [15] = 7}};
	struct vc_slice_add whole = m_slice(A2, "web2", 0, 0), net = whole, gre = m_slice(A1, "web1", 0, 0), spi = gre;
	struct vc_addr_add a2 = m_addr(A2);

	add_base();
	a2.flags = 0;
	assert_int_equal(CALL(VC_ADDR_ADD, a2), 0);
	whole.kind = net.kind = VC_SLICE_WHOLE;
	gre.kind = VC_SLICE_PROTOCOL;
	spi.kind = VC_SLICE_ESP_SPI;
	whole.protos = net.protos = gre.protos = spi.protos = 0;
	whole.prefix = 32;
	net.addr = net6;
	net.prefix = 64;
	gre.protocol = 47;
	spi.spi = 4096;
	assert_int_equal(CALL(VC_SLICE_ADD, whole), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, net), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, gre), 0);
	assert_int_equal(CALL(VC_SLICE_ADD, spi), 0);
	assert_held((struct vc_whois){.addr = whole.addr}, "web2");
	assert_held((struct vc_whois){.addr = whole.addr, .proto = VC_PROTO_SCTP, .port = 9}, "web2");
	assert_held((struct vc_whois){.addr = in6}, "web2");
	assert_held((struct vc_whois){.addr = in6, .proto = VC_PROTO_TCP, .port = 80}, "web2");
	assert_held((struct vc_whois){.addr = gre.addr, .ip_proto = 47}, "web1");
	assert_held((struct vc_whois){.addr = gre.addr, .ip_proto = 41}, NULL);
	assert_held((struct vc_whois){.addr = gre.addr, .ip_proto = 50, .spi = 4096}, "web1");
	assert_held((struct vc_whois){.addr = gre.addr, .ip_proto = 50, .spi = 4097}, NULL);
	assert_held((struct vc_whois){.addr = gre.addr}, NULL);
	assert_int_equal(CALL(VC_SLICE_ADD | VC_DEL, whole), 0);
	assert_held((struct vc_whois){.addr = whole.addr}, NULL);
	struct vc_whois wrong = {.addr = gre.addr, .proto = VC_PROTO_TCP, .ip_proto = 47};
	assert_refused(CALL(VC_WHOIS, wrong), EINVAL, "bad-protocol", "");
}

/* As a client does it who has nothing but the records. */
static void a_client_can_recompute_the_chain(void **state)
{
	struct vc_slice_add set = m_slice(A1, "web1", 0, 0);
	struct vc_audit_read q = {1};
	const struct vc_page_reply *p;
	const struct vc_audit_rec *r;
	uint8_t prev[32] = {0};

	add_base();
	set.kind = VC_SLICE_MAPE;
	set.a = 4;
	set.k = 12;
	set.psid = 0x800;
	assert_int_equal(CALL(VC_SLICE_ADD, set), 0);
	assert_int_equal(CALL(VC_AUDIT_READ, q), 0);
	p = (const void *)cl.body;
	r = (const void *)(p + 1);
	assert_true(p->count > 5);
	for (uint32_t i = 0; i < p->count; i++, r++) {
		/* All of this world's are IPv4 (::ffff:a.b.c.d), or none. */
		const uint8_t *ip = r->addr.b + 12;
		uint32_t addr = (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
		struct audit_record a = {.seq = r->seq, .utc_ns = r->utc_ns, .kind = r->kind, .domid = r->domid, .protos = r->protos,
					 .count = r->count, .addr = addr};

		a.ports = (struct audit_ports){r->set, r->a, r->k, r->psid, r->first, r->last};
		a.thing = (struct audit_thing){.addr = a.addr, .prefix = r->prefix, .ip_proto = r->ip_proto, .spi = r->spi};
		memcpy(a.domain, r->dom, sizeof(a.domain));
		memcpy(a.text, r->text, sizeof(a.text));
		memcpy(a.hash, r->digest, sizeof(a.hash));
		assert_true(audit_verify(&a, prev));
		memcpy(prev, r->digest, sizeof(prev));
	}
}

static void at_most_eight_sessions_are_open(void **state)
{
	struct control_session *s[9];
	unsigned int n = 0;

	while (n < 9 && (s[n] = control_session_open(w.c, NULL)))
		n++;
	assert_int_equal(n + 1, 8); /* the fixture has one */
	control_session_close(s[n - 1], w.now);
	s[n - 1] = control_session_open(w.c, NULL);
	assert_non_null(s[n - 1]);
	while (n)
		control_session_close(s[--n], w.now);
	add_base();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(cobs_round_trips_any_bytes), T(crc_is_castagnoli), T(input_in_any_pieces_gives_the_same_replies),
		T(half_a_message_costs_the_next_client_nothing), T(damaged_frames_are_dropped_without_an_answer),
		T(a_message_beyond_the_limit_is_skipped), T(nothing_is_answered_before_hello_or_for_another_session),
		T(a_client_that_does_not_read_stops_itself_and_is_forgotten), T(a_reply_leaves_in_pieces_when_the_transport_is_small),
		T(unknown_and_misshapen_messages_are_refused_by_name), T(bad_domains_are_refused_by_name),
		T(references_to_nothing_are_refused), T(a_conflict_names_the_owner_and_changes_nothing),
		T(dhcp_and_translation_take_the_address_of_most_ports),
		T(a_freed_port_is_held_down_unless_forced), T(an_address_in_use_stays), T(at_most_eight_sessions_are_open),
		T(whois_answers_from_the_audit_log),
		T(whois_knows_whole_addresses_prefixes_and_protocols), T(a_client_can_recompute_the_chain),
	};

	env_host_log_level(-1);
	return cmocka_run_group_tests_name("control: frames and messages", tests, NULL, NULL);
}
