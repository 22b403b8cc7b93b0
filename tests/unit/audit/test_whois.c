/* SPDX-License-Identifier: BSD-2-Clause */
/* Who held what: ports against a naive list of all holdings, and what has no ports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static void port_sets_have_the_ports_of_rfc_7597(void **state)
{
	for (unsigned int a = 0; a <= 16; a++)
		for (unsigned int k = 0; a + k <= 16; k += 3) {
			unsigned int psid = ((1u << k) - 1) & 0x5555, m = 16 - a - k, low = 65536, high = 0;
			struct audit_ports p = audit_ports_set((uint8_t)a, (uint8_t)k, (uint16_t)psid);
			struct audit *log = make(4, 4, 4);
			assert_int_equal(audit_slice_granted(log, T0, &web, ADDR, AUDIT_TCP, &p), 0);
			for (unsigned int port = 0; port < 65536; port += (a + k) % 7 ? 61 : 1) {
				bool in = ((port >> m) & ((1u << k) - 1)) == psid && (a == 0 || port >> (k + m));
				if (in != (audit_whois(log, ADDR, AUDIT_TCP, (uint16_t)port, T0).answer == AUDIT_HELD))
					fail_msg("a %u k %u psid %u port %u", a, k, psid, port);
			}
			for (unsigned int port = 0; port < 65536; port++)
				if (((port >> m) & ((1u << k) - 1)) == psid && (a == 0 || port >> (k + m))) {
					low = port < low ? port : low;
					high = port;
				}
			assert_int_equal(p.first, low);
			assert_int_equal(p.last, high);
			audit_destroy(log);
		}
}

/* --- the naive twin: a list of all holdings ever --- */

struct held {
	struct audit_domain dom;
	uint32_t addr;
	uint8_t protos;
	struct audit_ports ports;
	uint64_t from, to;
};

enum { HELD_MAX = 20000 };
static struct held held[HELD_MAX];
static unsigned int n_held;

static bool contains(const struct audit_ports *p, unsigned int port)
{
	if (!p->set)
		return port >= p->first && port <= p->last;
	unsigned int m = 16u - p->offset_bits - p->psid_bits;
	return ((port >> m) & ((1u << p->psid_bits) - 1)) == p->psid && (!p->offset_bits || port >> (16 - p->offset_bits));
}

/* The ports taken at present, by address and protocol. */
static uint8_t taken[2][65536];

static bool overlap(const struct held *x)
{
	for (unsigned int port = x->ports.first; port <= x->ports.last; port++)
		if ((taken[x->addr - ADDR][port] & x->protos) && contains(&x->ports, port))
			return true;
	return false;
}

static void mark(const struct held *x)
{
	for (unsigned int port = x->ports.first; port <= x->ports.last; port++)
		if (contains(&x->ports, port))
			taken[x->addr - ADDR][port] ^= x->protos;
}

static struct audit_ports random_ports(void)
{
	if (rand() % 3 == 0) {
		unsigned int k = (unsigned int)rand() % 6 + 4;
		return audit_ports_set((uint8_t)(rand() % 2 ? 6 : 4), (uint8_t)k, (uint16_t)((unsigned int)rand() % (1u << k)));
	}
	unsigned int first = (unsigned int)rand() % 65536, len = 1u << (rand() % 13);
	if (rand() % 2)
		first &= ~(len - 1);
	return audit_ports_range((uint16_t)first, (uint16_t)(first + len - 1 < 65536 ? first + len - 1 : 65535));
}

static void random_step(struct audit *a, uint64_t now)
{
	struct held *h = &held[rand() % (n_held + 1)];
	if (h < held + n_held && !h->to && rand() % 2) {
		assert_int_equal(audit_slice_freed(a, now, &h->dom, h->addr, h->protos, &h->ports), 0);
		h->to = now;
		mark(h);
		return;
	}
	struct held x = { .dom = { (uint16_t)(rand() % 20), "d" }, .addr = ADDR + (uint32_t)rand() % 2, .protos = (uint8_t)(rand() % 7 + 1),
			  .ports = random_ports(), .from = now };
	if (n_held < HELD_MAX && !overlap(&x) && audit_slice_granted(a, now, &x.dom, x.addr, x.protos, &x.ports) == 0) {
		held[n_held++] = x;
		mark(&x);
	}
}

static void ask_twin(struct audit *a, uint64_t t, unsigned int *answered, unsigned int *evicted)
{
	unsigned int port = (unsigned int)rand() % 65536;
	uint8_t proto = (uint8_t)(1u << (rand() % 3));
	uint32_t addr = ADDR + (uint32_t)rand() % 2;
	const struct held *want = NULL;
	for (unsigned int i = 0; i < n_held; i++)
		if (held[i].addr == addr && (held[i].protos & proto) && held[i].from <= t && (!held[i].to || t < held[i].to) &&
		    contains(&held[i].ports, port))
			want = &held[i];
	struct audit_holder who = audit_whois(a, addr, proto, (uint16_t)port, t);
	if (who.answer == AUDIT_EVICTED) {
		assert_true(t < who.known_from_ns);
		assert_true(!want || want->to);
		(*evicted)++;
		return;
	}
	assert_int_equal(who.answer, want ? AUDIT_HELD : AUDIT_NOBODY);
	if (want) {
		assert_int_equal(who.domid, want->dom.id);
		assert_int_equal(who.from_ns, want->from);
		assert_int_equal(who.to_ns, want->to);
		(*answered)++;
	}
}

static void whois_agrees_with_a_list_of_everything(void **state)
{
	static const uint32_t sizes[] = { 100000, 300, 40, 7 };
	for (unsigned int s = 0; s < 4; s++) {
		struct audit *a = make(16, sizes[s], 100);
		unsigned int answered = 0, evicted = 0;
		srand(11 + s);
		n_held = 0;
		memset(taken, 0, sizeof(taken));
		for (uint64_t step = 1; step < 4000; step++) {
			random_step(a, T0 + step * 10);
			for (int q = 0; q < 4; q++)
				ask_twin(a, T0 + (uint64_t)rand() % (step * 10 + 5), &answered, &evicted);
		}
		print_message("index of %u: %u holdings, %u held answers, %u times \"not known\"\n", sizes[s], n_held, answered, evicted);
		assert_true(answered > 200);
		assert_true((evicted > 0) == (s > 0));
		audit_destroy(a);
	}
}

/* --- what has no ports ------------------------------------------------------------------------------------------------ */

static int thing_holder(struct audit *a, const struct audit_thing *x, uint64_t t)
{
	struct audit_holder h = audit_whois_thing(a, x, t);

	return h.answer == AUDIT_HELD ? h.domid : h.answer == AUDIT_NOBODY ? 0 : -1;
}

static void addresses_prefixes_and_protocols_have_holders(void **state)
{
	struct audit *a = make(64, 16, 16);
	const struct audit_thing whole = { .addr = ADDR, .prefix = 32 }, gre = { .addr = ADDR, .ip_proto = 47 };
	const struct audit_thing esp = { .addr = ADDR, .ip_proto = AUDIT_ESP }, spi = { .addr = ADDR, .ip_proto = AUDIT_ESP, .spi = 4096 };
	const struct audit_thing net = { .addr6 = { 0x20, 1, 0x0d, 0xb8 }, .prefix = 64 };
	struct audit_thing inside = { .addr6 = { 0x20, 1, 0x0d, 0xb8, [15] = 9 } }, beside = { .addr6 = { 0x20, 1, 0x0d, 0xb9 } };
	struct audit_record rec[2];

	assert_int_equal(audit_thing_granted(a, T0 + 10, &web, &whole), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 10, &web, &net), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 10, &mail, &gre), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 10, &web, &esp), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 10, &mail, &spi), 0);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR }, T0 + 10), 3);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR }, T0 + 9), 0);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR }, T0 - 1), -1);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR + 1 }, T0 + 10), 0);
	assert_int_equal(thing_holder(a, &inside, T0 + 10), 3);
	assert_int_equal(thing_holder(a, &beside, T0 + 10), 0);
	assert_int_equal(audit_thing_freed(a, T0 + 20, &web, &whole), 0);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR }, T0 + 19), 3);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR }, T0 + 20), 0);
	assert_int_equal(thing_holder(a, &gre, T0 + 20), 4);
	assert_int_equal(thing_holder(a, &spi, T0 + 20), 4);
	assert_int_equal(thing_holder(a, &(struct audit_thing){ .addr = ADDR, .ip_proto = AUDIT_ESP, .spi = 4097 }, T0 + 20), 3);
	assert_int_equal(audit_read(a, 3, rec, 2).n, 2);
	assert_int_equal(rec[0].thing.prefix, 64);
	assert_int_equal(rec[1].thing.ip_proto, 47);
	assert_true(audit_verify(&rec[1], rec[0].hash));
	rec[1].thing.ip_proto = 41;
	assert_false(audit_verify(&rec[1], rec[0].hash));
	rec[1].thing.ip_proto = 47;
	rec[1].thing.spi = 1;
	assert_false(audit_verify(&rec[1], rec[0].hash));
	audit_destroy(a);
}

static void wrong_things_are_refused(void **state)
{
	static const struct audit_thing wrong[] = {
		{ .addr = ADDR }, { .addr = ADDR, .prefix = 31 }, { .addr = ADDR, .prefix = 32, .ip_proto = 47 }, { .ip_proto = 47 },
		{ .addr6 = { 0x20 }, .prefix = 56 }, { .addr = ADDR, .ip_proto = 47, .spi = 1 },
	};
	struct audit *a = make(8, 8, 8);

	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(audit_thing_granted(a, T0, &web, &wrong[i]), -EINVAL);
		assert_int_equal(audit_thing_freed(a, T0, &web, &wrong[i]), -EINVAL);
	}
	assert_int_equal(audit_thing_freed(a, T0, &web, &(struct audit_thing){ .addr = ADDR, .prefix = 32 }), -ENOENT);
	assert_int_equal(audit_last_seq(a), 1);
	audit_destroy(a);
}

static void what_things_had_to_be_forgotten_is_not_known(void **state)
{
	struct audit_config c = { .records = 8, .intervals = 8, .holders = 8, .things = 2, .start_utc_ns = T0 };
	const struct audit_thing x = { .addr = ADDR, .prefix = 32 }, y = { .addr = ADDR + 1, .prefix = 32 }, z = { .addr = ADDR + 2,
		.prefix = 32 };
	struct audit *a = audit_create(&c);

	assert_int_equal(audit_thing_granted(a, T0 + 1, &web, &x), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 2, &web, &y), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 3, &mail, &z), -ENOSPC);
	assert_int_equal(audit_thing_freed(a, T0 + 4, &web, &x), 0);
	assert_int_equal(audit_thing_granted(a, T0 + 5, &mail, &z), 0);
	assert_int_equal(thing_holder(a, &x, T0 + 3), -1);
	assert_int_equal(thing_holder(a, &x, T0 + 4), 0);
	assert_int_equal(thing_holder(a, &y, T0 + 2), 3);
	assert_int_equal(thing_holder(a, &z, T0 + 9), 4);
	audit_destroy(a);
}

static void sctp_ports_have_holders(void **state)
{
	struct audit *a = make(8, 8, 8);
	struct audit_ports r = audit_ports_range(100, 199);

	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, AUDIT_SCTP, &r), 0);
	assert_int_equal(audit_whois(a, ADDR, AUDIT_SCTP, 150, T0).domid, 3);
	assert_int_equal(audit_whois(a, ADDR, AUDIT_TCP, 150, T0).answer, AUDIT_NOBODY);
	assert_int_equal(audit_slice_freed(a, T0 + 1, &web, ADDR, AUDIT_SCTP, &r), 0);
	assert_int_equal(audit_whois(a, ADDR, AUDIT_SCTP, 150, T0).domid, 3);
	audit_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(port_sets_have_the_ports_of_rfc_7597),
		cmocka_unit_test(whois_agrees_with_a_list_of_everything),
		cmocka_unit_test(sctp_ports_have_holders),
		cmocka_unit_test(addresses_prefixes_and_protocols_have_holders),
		cmocka_unit_test(wrong_things_are_refused),
		cmocka_unit_test(what_things_had_to_be_forgotten_is_not_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
