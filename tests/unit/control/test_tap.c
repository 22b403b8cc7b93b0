/* SPDX-License-Identifier: BSD-2-Clause */
/* The tap and its filter machine: the same answer as libpcap's on compiled filters and random packets; a bounded buffer. */
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <env_host.h>

#include <control/tap.h>

static const char *const filters[] = {
	"tcp", "udp port 53", "tcp dst port 20080", "host 10.0.2.15", "net 10.0.0.0/8 and not icmp", "ip6", "ip6 and tcp port 80", "arp",
	"tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", "ip[2:2] > 576", "len > 100", "ether host 02:16:3e:00:00:01", "vlan",
	"portrange 20000-20999",
	"icmp[icmptype] == icmp-echo", "tcp and (host 1.2.3.4 or host 4.3.2.1)", "ip[0] & 15 != 5", "udp[4:2] % 3 == 1",
	"tcp[13] / 4 * 4 == 16", "greater 64",
};

/* Random bytes that look like packets often enough. */
static uint32_t random_packet(uint8_t *p)
{
	static const uint8_t types[][2] = {{8, 0}, {8, 6}, {0x86, 0xdd}, {0x81, 0}};
	static const uint8_t protos[] = {1, 6, 17, 58};
	uint32_t n = rand() % 200;

	for (uint32_t i = 0; i < 200; i++)
		p[i] = rand();
	memcpy(p + 12, types[rand() % 4], 2);
	p[14] = p[12] == 8 ? 0x45 + (rand() % 4 == 0) : 0x60;
	p[23] = p[20] = protos[rand() % 4];
	if (rand() % 2) {
		p[20] &= 0x40;
		p[21] = 0;
		memcpy(p + 26, "\x0a\x00\x02\x0f", 4);
		memcpy(p + 36, "\x4e\x70", 2);
	}
	return n;
}

static void filters_answer_as_libpcap_does(void **state)
{
	pcap_t *dead = pcap_open_dead(DLT_EN10MB, 65535);
	unsigned int hits = 0;

	srand(5);
	for (size_t f = 0; f < sizeof(filters) / sizeof(*filters); f++) {
		struct vc_bpf_insn prog[VC_BPF_MAX];
		struct bpf_program compiled;

		assert_int_equal(pcap_compile(dead, &compiled, filters[f], 1, PCAP_NETMASK_UNKNOWN), 0);
		for (unsigned int i = 0; i < compiled.bf_len; i++)
			prog[i] = (struct vc_bpf_insn){compiled.bf_insns[i].code, compiled.bf_insns[i].jt, compiled.bf_insns[i].jf,
						       compiled.bf_insns[i].k};
		assert_true(bpf_check(prog, compiled.bf_len));
		for (unsigned int i = 0; i < 5000; i++) {
			uint8_t p[200];
			uint32_t n = random_packet(p), linear = rand() % 3 ? n : n / 2, want = bpf_filter(compiled.bf_insns, p, n, linear);

			if (bpf_run(prog, compiled.bf_len, p, linear, n) != want)
				fail_msg("'%s' on %u bytes, %u here", filters[f], n, linear);
			hits += want != 0;
		}
		pcap_freecode(&compiled);
	}
	pcap_close(dead);
	assert_true(hits > 5000);
}

/* What passes the check must run: no index out of bounds, no endless loop. */
static void random_programs_that_pass_the_check_are_safe(void **state)
{
	unsigned int passed = 0;

	srand(6);
	for (unsigned int i = 0; i < 300000; i++) {
		struct vc_bpf_insn prog[8];
		unsigned int n = 1 + rand() % 8;
		uint8_t p[64];

		for (unsigned int k = 0; k < n; k++)
			prog[k] = (struct vc_bpf_insn){rand() % 256, rand() % 8, rand() % 8,
						       rand() % 3 ? rand() % 80 : (uint32_t)rand() * 2};
		prog[n - 1].code = rand() % 8 ? 6 : rand();
		if (!bpf_check(prog, n))
			continue;
		passed++;
		memset(p, i, sizeof(p));
		bpf_run(prog, n, p, rand() % 65, 64);
	}
	assert_true(passed > 10000);
}

static void bad_programs_do_not_pass(void **state)
{
	static const struct vc_bpf_insn bad[][2] = {
		{{5, 0, 0, 1}, {6, 0, 0, 1}}, {{0x15, 1, 0, 1}, {6, 0, 0, 1}}, {{0x60, 0, 0, 16}, {6, 0, 0, 1}},
		{{2, 0, 0, 16}, {6, 0, 0, 1}},
		{{0x34, 0, 0, 0}, {6, 0, 0, 1}}, {{6, 0, 0, 1}, {0, 0, 0, 1}},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(bpf_check(bad[i], 2));
	assert_false(bpf_check(NULL, 0));
}

static void a_full_buffer_loses_and_counts(void **state)
{
	static struct tap t;
	static uint8_t bytes[1500], out[65536];
	struct tap_packet p = {.bytes = bytes, .linear = 1500, .len = 1500, .src_dom = 0xffff, .dst_dom = 3};
	uint32_t id, count = 0, lost = 0, all = 0;
	const unsigned int sent = 400;

	assert_int_equal(tap_start(&t, -1, 0, 65535, NULL, 0, &id), 0);
	assert_int_equal(tap_start(&t, -1, 0, 65535, NULL, 0, &(uint32_t){0}), -16);
	for (unsigned int i = 0; i < sent; i++)
		tap_packet(&t, &p);
	do {
		uint32_t l = 0;

		count = 0;
		assert_true(tap_read(&t, id, out, sizeof(out), &count, &l) <= sizeof(out));
		all += count;
		lost += l;
	} while (count);
	assert_int_equal(all, TAP_BYTES / (1500 + sizeof(struct vc_capture_rec)));
	assert_int_equal(all + lost, sent);
	tap_stop(&t, id);
	assert_false(tap_on(&t));
	assert_int_equal(env_host_live_blocks(), 0);
}

static void only_what_is_asked_for_is_kept(void **state)
{
	static struct tap t;
	static uint8_t bytes[100], out[65536];
	struct tap_packet p = {.bytes = bytes, .linear = 100, .len = 100, .src_dom = 0xffff, .dst_dom = 3};
	struct vc_capture_rec rec;
	uint32_t id, count = 0, lost = 0;

	assert_int_equal(tap_start(&t, 3, VC_CAPTURE_DROPS_ONLY, 60, NULL, 0, &id), 0);
	tap_packet(&t, &p);
	p.dropped = true;
	p.reason = 7;
	p.dst_dom = 4;
	tap_packet(&t, &p);
	p.src_dom = 3;
	p.dst_dom = 0xffff;
	tap_packet(&t, &p);
	tap_read(&t, id, out, sizeof(out), &count, &lost);
	assert_int_equal(count, 1);
	memcpy(&rec, out, sizeof(rec));
	assert_int_equal(rec.domid, 3);
	assert_int_equal(rec.dir, VC_RULE_OUT);
	assert_int_equal(rec.reason, 7);
	assert_int_equal(rec.caplen, 60);
	tap_stop(&t, id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(filters_answer_as_libpcap_does), cmocka_unit_test(random_programs_that_pass_the_check_are_safe),
		cmocka_unit_test(bad_programs_do_not_pass), cmocka_unit_test(a_full_buffer_loses_and_counts),
		cmocka_unit_test(only_what_is_asked_for_is_kept),
	};

	return cmocka_run_group_tests_name("tap", tests, NULL, NULL);
}
