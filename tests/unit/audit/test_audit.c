/* SPDX-License-Identifier: BSD-2-Clause */
/* The audit log: hash, chain, ring, rate limit, simple questions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static void hex(const uint8_t *hash, char *out)
{
	for (int i = 0; i < 32; i++)
		sprintf(out + 2 * i, "%02x", hash[i]);
}

static void sha256_of_published_vectors(void **state)
{
	static char a1000[1000];
	memset(a1000, 'a', sizeof(a1000));
	const struct {
		const char *text;
		unsigned int times;
		const char *hash;
	} rows[] = {
		{ "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 1,
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
		{ a1000, 1000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct audit_sha256 s;
		uint8_t hash[32];
		char text[65];
		audit_sha256_begin(&s);
		for (unsigned int t = 0; t < rows[i].times; t++)
			audit_sha256_add(&s, rows[i].text, rows[i].text == a1000 ? 1000 : strlen(rows[i].text));
		audit_sha256_end(&s, hash);
		hex(hash, text);
		assert_string_equal(text, rows[i].hash);
	}
}

static void pieces_hash_like_the_whole(void **state)
{
	uint8_t data[300], whole[32], pieces[32];
	for (int i = 0; i < 300; i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n < 300; n += 7)
		for (size_t cut = 0; cut <= n; cut += 5) {
			struct audit_sha256 s;
			audit_sha256_begin(&s);
			audit_sha256_add(&s, data, n);
			audit_sha256_end(&s, whole);
			audit_sha256_begin(&s);
			audit_sha256_add(&s, data, cut);
			audit_sha256_add(&s, data + cut, n - cut);
			audit_sha256_end(&s, pieces);
			assert_memory_equal(whole, pieces, 32);
		}
}

static void every_event_has_its_record(void **state)
{
	struct audit *a = make(64, 16, 16);
	struct audit_ports r = audit_ports_range(1024, 2047), set = audit_ports_set(6, 8, 0x34);
	struct audit_record rec[16];
	audit_domain_started(a, T0 + 1, &web);
	assert_int_equal(audit_slice_granted(a, T0 + 2, &web, ADDR, AUDIT_PROTOS, &r), 0);
	assert_int_equal(audit_slice_granted(a, T0 + 3, &mail, ADDR, AUDIT_TCP, &set), 0);
	audit_addr_added(a, T0 + 4, ADDR);
	audit_policy_changed(a, T0 + 5, "rules of web");
	audit_session_refused(a, T0 + 6, "unix socket: version 9");
	audit_source_violation(a, T0 + 7, &web, ADDR, AUDIT_UDP, 80, 3);
	assert_int_equal(audit_slice_freed(a, T0 + 8, &web, ADDR, AUDIT_PROTOS, &r), 0);
	audit_addr_removed(a, T0 + 9, ADDR);
	audit_domain_stopped(a, T0 + 10, &web, "powered off");
	struct audit_page p = audit_read(a, 0, rec, 16);
	static const uint16_t kinds[] = { AUDIT_LOG_STARTED, AUDIT_DOMAIN_STARTED, AUDIT_SLICE_GRANTED,   AUDIT_SLICE_GRANTED,
					  AUDIT_ADDR_ADDED,  AUDIT_POLICY_CHANGED, AUDIT_SESSION_REFUSED, AUDIT_SOURCE_VIOLATION,
					  AUDIT_SLICE_FREED, AUDIT_ADDR_REMOVED,   AUDIT_DOMAIN_STOPPED };
	assert_int_equal(p.n, 11);
	assert_int_equal(p.next, 12);
	for (uint32_t i = 0; i < p.n; i++) {
		assert_int_equal(rec[i].kind, kinds[i]);
		assert_int_equal(rec[i].seq, i + 1);
		assert_int_equal(rec[i].utc_ns, T0 + i);
		assert_string_not_equal(audit_kind_name(rec[i].kind), "unknown");
	}
	assert_int_equal(rec[2].ports.first, 1024);
	assert_int_equal(rec[2].domid, 3);
	assert_string_equal(rec[2].domain, "web");
	assert_true(rec[3].ports.set && rec[3].ports.psid == 0x34);
	assert_int_equal(rec[7].count, 3);
	assert_int_equal(rec[7].ports.first, 80);
	assert_string_equal(rec[10].text, "powered off");
	assert_string_equal(audit_kind_name(0), "unknown");
	assert_string_equal(audit_kind_name(AUDIT_KINDS), "unknown");
	audit_destroy(a);
}

static void the_chain_shows_any_change(void **state)
{
	static const uint8_t zero[32];
	struct audit *a = make(64, 16, 16);
	struct audit_record rec[8];
	for (int i = 0; i < 5; i++)
		audit_domain_started(a, T0 + (uint64_t)i, &web);
	struct audit_page p = audit_read(a, 1, rec, 8);
	assert_true(audit_verify(&rec[0], zero));
	for (uint32_t i = 1; i < p.n; i++)
		assert_true(audit_verify(&rec[i], rec[i - 1].hash));
	assert_false(audit_verify(&rec[3], rec[1].hash));
	uint8_t bytes[AUDIT_ENCODED_SIZE], other[AUDIT_ENCODED_SIZE];
	audit_encode(&rec[2], bytes);
	struct audit_record forged[] = { rec[2], rec[2], rec[2], rec[2], rec[2], rec[2], rec[2] };
	forged[0].utc_ns++;
	forged[1].domid++;
	forged[2].domain[0] ^= 1;
	forged[3].text[47] = 1;
	forged[4].ports.last ^= 1;
	forged[5].count++;
	forged[6].addr ^= 1;
	for (int i = 0; i < 7; i++) {
		audit_encode(&forged[i], other);
		assert_memory_not_equal(bytes, other, sizeof(bytes));
		assert_false(audit_verify(&forged[i], rec[1].hash));
	}
	audit_destroy(a);
}

static void a_full_ring_says_what_it_lost(void **state)
{
	struct audit *a = make(10, 16, 16);
	struct audit_record rec[20];
	for (int i = 0; i < 25; i++)
		audit_domain_started(a, T0, &web);
	assert_int_equal(audit_last_seq(a), 26);
	struct audit_page p = audit_read(a, 1, rec, 4);
	assert_int_equal(p.lost, 16);
	assert_int_equal(p.n, 4);
	assert_int_equal(rec[0].seq, 17);
	assert_int_equal(p.next, 21);
	p = audit_read(a, p.next, rec, 20);
	assert_int_equal(p.lost, 0);
	assert_int_equal(p.n, 6);
	assert_int_equal(p.next, 27);
	p = audit_read(a, p.next, rec, 20);
	assert_int_equal(p.n, 0);
	assert_int_equal(p.next, 27);
	p = audit_read(a, 1000, rec, 20);
	assert_int_equal(p.n, 0);
	audit_destroy(a);
}

static void on_record(void *ctx, const struct audit_record *rec)
{
	*(uint64_t *)ctx += rec->seq;
}

static void sinks_see_each_record_in_order(void **state)
{
	struct audit *a = make(4, 16, 16);
	uint64_t sum = 0;
	struct audit_sink sink = { on_record, &sum };
	assert_int_equal(audit_sink_add(a, &sink), 0);
	for (int i = 0; i < 9; i++)
		audit_domain_started(a, T0, &web);
	assert_int_equal(sum, 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10);
	for (int i = 0; i < 3; i++)
		assert_int_equal(audit_sink_add(a, &sink), 0);
	assert_int_equal(audit_sink_add(a, &sink), -ENOSPC);
	audit_destroy(a);
}

static void violations_are_summed_up(void **state)
{
	struct audit *a = make(4096, 16, 16);
	struct audit_record rec[8];
	for (uint64_t i = 0; i < 1000000; i++)
		audit_source_violation(a, T0 + i * 5000, &web, ADDR, AUDIT_TCP, (uint16_t)i, 1); /* over 5 s */
	audit_tick(a, T0 + 20 * S);
	audit_tick(a, T0 + 40 * S);
	assert_true(audit_last_seq(a) <= 1 + 6 + 1);
	struct audit_page p = audit_read(a, 2, rec, 8);
	uint64_t total = 0;
	for (uint32_t i = 0; i < p.n; i++)
		total += rec[i].count;
	assert_int_equal(total, 1000000);
	assert_int_equal(rec[0].count, 1);
	assert_int_equal(rec[1].ports.first, 0);
	assert_int_equal(rec[1].ports.last, 65535);
	audit_destroy(a);
	/* More offenders than slots: still no count is lost. */
	a = make(4096, 16, 16);
	for (uint16_t i = 0; i < 3000; i++) {
		struct audit_domain d = { (uint16_t)(i % 1500), "x" };
		audit_source_violation(a, T0 + i, &d, ADDR, AUDIT_UDP, 1, 2);
	}
	audit_tick(a, T0 + 20 * S);
	total = 0;
	for (uint64_t seq = 2; seq <= audit_last_seq(a); seq++) {
		assert_int_equal(audit_read(a, seq, rec, 1).n, 1);
		total += rec[0].count;
	}
	assert_int_equal(total, 6000);
	audit_destroy(a);
}

static void expect(struct audit *a, uint8_t proto, uint16_t port, uint64_t t, enum audit_answer answer, int domid)
{
	struct audit_holder who = audit_whois(a, ADDR, proto, port, t);
	if (who.answer != answer || (answer == AUDIT_HELD && who.domid != domid))
		fail_msg("port %u at +%ld: answer %d, domain %u; not %d, %d", port, (long)(t - T0), who.answer, who.domid, answer, domid);
}

static void whois_answers(void **state)
{
	struct audit *a = make(4, 64, 64);
	struct audit_ports r = audit_ports_range(1000, 1999), one = audit_ports_range(80, 80), all = audit_ports_range(0, 65535);
	audit_slice_granted(a, T0 + 10, &web, ADDR, AUDIT_PROTOS, &r);
	audit_slice_granted(a, T0 + 11, &web, ADDR, AUDIT_TCP, &one);
	audit_slice_granted(a, T0 + 12, &mail, ADDR, AUDIT_UDP, &one);
	audit_slice_freed(a, T0 + 20, &web, ADDR, AUDIT_PROTOS, &r);
	audit_slice_granted(a, T0 + 30, &mail, ADDR, AUDIT_PROTOS, &r);
	for (int i = 0; i < 100; i++)
		audit_domain_started(a, T0 + 40, &web); /* the ring forgets, the index does not */
	expect(a, AUDIT_TCP, 1000, T0 - 1, AUDIT_BEFORE, 0);
	expect(a, AUDIT_TCP, 1000, T0 + 9, AUDIT_NOBODY, 0);
	for (unsigned int port = 1000; port < 2000; port++) {
		expect(a, AUDIT_TCP, (uint16_t)port, T0 + 10, AUDIT_HELD, 3);
		expect(a, AUDIT_ICMP, (uint16_t)port, T0 + 19, AUDIT_HELD, 3);
		expect(a, AUDIT_UDP, (uint16_t)port, T0 + 20, AUDIT_NOBODY, 0);
		expect(a, AUDIT_UDP, (uint16_t)port, T0 + 30, AUDIT_HELD, 4);
	}
	expect(a, AUDIT_TCP, 999, T0 + 15, AUDIT_NOBODY, 0);
	expect(a, AUDIT_TCP, 2000, T0 + 15, AUDIT_NOBODY, 0);
	expect(a, AUDIT_TCP, 80, T0 + 60, AUDIT_HELD, 3);
	expect(a, AUDIT_UDP, 80, T0 + 60, AUDIT_HELD, 4);
	expect(a, AUDIT_ICMP, 80, T0 + 60, AUDIT_NOBODY, 0);
	assert_int_equal(audit_whois(a, ADDR + 1, AUDIT_TCP, 80, T0 + 60).answer, AUDIT_NOBODY);
	struct audit_holder who = audit_whois(a, ADDR, AUDIT_TCP, 1500, T0 + 12);
	assert_string_equal(who.domain, "web");
	assert_int_equal(who.from_ns, T0 + 10);
	assert_int_equal(who.to_ns, T0 + 20);
	assert_int_equal(who.seq, 2);
	who = audit_whois(a, ADDR, AUDIT_TCP, 1500, T0 + 99);
	assert_int_equal(who.to_ns, 0);
	assert_int_equal(who.known_from_ns, T0);
	audit_slice_granted(a, T0 + 50, &web, ADDR + 1, AUDIT_PROTOS, &all);
	for (unsigned int port = 0; port < 65536; port += 77)
		assert_int_equal(audit_whois(a, ADDR + 1, AUDIT_TCP, (uint16_t)port, T0 + 50).domid, 3);
	audit_destroy(a);
}

static void wrong_slices_are_refused(void **state)
{
	struct audit *a = make(4, 4, 2);
	struct audit_ports r = audit_ports_range(5, 9), swapped = audit_ports_range(9, 5), set = audit_ports_set(6, 8, 3), bad = set;
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 0, &r), -EINVAL);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 16, &r), -EINVAL);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 1, &swapped), -EINVAL);
	bad.psid = 256;
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 1, &bad), -EINVAL);
	bad = set;
	bad.offset_bits = 12;
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 1, &bad), -EINVAL);
	assert_int_equal(audit_slice_freed(a, T0, &web, ADDR, 1, &bad), -EINVAL);
	assert_int_equal(audit_slice_freed(a, T0, &web, ADDR, 1, &r), -ENOENT);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 1, &r), 0);
	assert_int_equal(audit_slice_freed(a, T0, &mail, ADDR, 1, &r), -ENOENT);
	assert_int_equal(audit_slice_freed(a, T0, &web, ADDR, 2, &r), -ENOENT);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 2, &r), 0);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 4, &r), -ENOSPC);
	assert_int_equal(audit_last_seq(a), 3);
	audit_destroy(a);
}

static void a_clock_set_back_is_held(void **state)
{
	struct audit *a = make(16, 16, 16);
	struct audit_ports r = audit_ports_range(5, 9);
	struct audit_record rec[8];
	audit_slice_granted(a, T0 + 100, &web, ADDR, 7, &r);
	audit_slice_freed(a, T0 + 50, &web, ADDR, 7, &r);
	audit_slice_granted(a, T0 + 70, &mail, ADDR, 7, &r);
	audit_read(a, 1, rec, 8);
	assert_int_equal(rec[2].utc_ns, T0 + 100);
	expect(a, AUDIT_TCP, 5, T0 + 100, AUDIT_HELD, 4);
	expect(a, AUDIT_TCP, 5, T0 + 99, AUDIT_NOBODY, 0);
	audit_destroy(a);
}

static void out_of_memory_leaves_nothing_behind(void **state)
{
	size_t before = env_host_live_bytes();
	struct audit_config c = { .records = 8, .intervals = 8, .holders = 8, .start_utc_ns = T0 };
	struct audit_ports r = audit_ports_range(1, 9999);
	struct audit *a;
	long n;
	for (n = 0; env_host_fail_after(n), !(a = audit_create(&c)); n++)
		assert_int_equal(env_host_live_bytes(), before);
	assert_true(n >= 6);
	env_host_fail_after(0);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 7, &r), -ENOMEM);
	env_host_fail_after(-1);
	assert_int_equal(audit_whois(a, ADDR, AUDIT_TCP, 5, T0).answer, AUDIT_NOBODY);
	assert_int_equal(audit_last_seq(a), 1);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 7, &r), 0);
	env_host_fail_after(0);
	assert_int_equal(audit_slice_freed(a, T0, &web, ADDR, 7, &r), 0);
	env_host_fail_after(-1);
	assert_int_equal(audit_slice_granted(a, T0, &web, ADDR, 7, &r), 0);
	audit_destroy(a);
	audit_destroy(NULL);
	assert_int_equal(env_host_live_bytes(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_of_published_vectors),
		cmocka_unit_test(pieces_hash_like_the_whole),
		cmocka_unit_test(every_event_has_its_record),
		cmocka_unit_test(the_chain_shows_any_change),
		cmocka_unit_test(a_full_ring_says_what_it_lost),
		cmocka_unit_test(sinks_see_each_record_in_order),
		cmocka_unit_test(violations_are_summed_up),
		cmocka_unit_test(whois_answers),
		cmocka_unit_test(wrong_slices_are_refused),
		cmocka_unit_test(a_clock_set_back_is_held),
		cmocka_unit_test(out_of_memory_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
