/* SPDX-License-Identifier: BSD-2-Clause */
/* Millions of records through the shipped objects: bounded memory, correct answers, look-ups in logarithmic time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <audit/audit.h>

#include "env_host.h"

#define S 1000000000ull
#define T0 (1700000000 * S)
#define ADDR 0xcb007107u
#define N 1000000u

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* One slice that changes hands `n` times, a second each; returns the time of one look-up somewhere in the past. */
static double hand_around(uint32_t n, uint32_t index)
{
	struct audit_config c = { .records = 1024, .intervals = index, .holders = 64, .start_utc_ns = T0 };
	struct audit_ports ports = audit_ports_range(4096, 8191), other = audit_ports_range(80, 80);
	struct audit *a = audit_create(&c);
	assert_non_null(a);
	struct audit_domain keeper = { 7, "keeper" };
	assert_int_equal(audit_slice_granted(a, T0, &keeper, ADDR, AUDIT_TCP, &other), 0);
	size_t live = env_host_live_bytes();
	double t = now_s();
	for (uint32_t i = 0; i < n; i++) {
		struct audit_domain d = { (uint16_t)(i % 1000), "guest" };
		if (audit_slice_granted(a, T0 + i * S, &d, ADDR, AUDIT_PROTOS, &ports) ||
		    audit_slice_freed(a, T0 + i * S + S / 2, &d, ADDR, AUDIT_PROTOS, &ports))
			fail();
	}
	double put = (now_s() - t) / (2.0 * n);
	assert_int_equal(env_host_live_bytes(), live);
	assert_int_equal(audit_last_seq(a), 2ull * n + 2);

	uint32_t asked = 200000, kept = index < n ? index : n;
	t = now_s();
	for (uint32_t q = 0; q < asked; q++) {
		uint32_t i = n - 1 - (uint32_t)rand() % kept;
		struct audit_holder who = audit_whois(a, ADDR, AUDIT_UDP, 5000, T0 + i * S + S / 4);
		if (who.answer != AUDIT_HELD || who.domid != i % 1000)
			fail_msg("holding %u of %u: answer %d, domain %u", i, n, who.answer, who.domid);
		if (audit_whois(a, ADDR, AUDIT_UDP, 5000, T0 + i * S + 3 * S / 4).answer != AUDIT_NOBODY)
			fail();
	}
	double get = (now_s() - t) / (2.0 * asked);
	/* The one who held all along is known, whatever has passed since; what the index dropped is not "nobody". */
	assert_int_equal(audit_whois(a, ADDR, AUDIT_TCP, 80, T0 + 5).domid, 7);
	assert_int_equal(audit_whois(a, ADDR, AUDIT_TCP, 4096, T0 + S / 4).answer, index < n ? AUDIT_EVICTED : AUDIT_HELD);
	print_message("%7u holdings, index of %7u: %.0f ns a record, %.0f ns a look-up\n", n, index, put * 1e9, get * 1e9);
	audit_destroy(a);
	return get;
}

static void a_million_holdings_are_found_in_logarithmic_time(void **state)
{
	double small = hand_around(1000, 1000), big = hand_around(N, N);
	/* A thousand times as many: twice the steps, and memory that no cache holds; a linear search would take 1000 times as long. */
	assert_true(big < 40 * small);
	hand_around(N, 8192);
}

static void the_chain_holds_over_many_rings(void **state)
{
	struct audit_config c = { .records = 4096, .start_utc_ns = T0 };
	struct audit *a = audit_create(&c);
	static struct audit_record rec[256];
	uint8_t prev[AUDIT_HASH_SIZE] = { 0 };
	uint64_t next = 1, seen = 0;
	struct audit_domain d = { 1, "d" };
	assert_non_null(a);
	while (seen < N / 4) {
		for (int i = 0; i < 255; i++)
			audit_domain_started(a, T0 + seen, &d);
		struct audit_page p = audit_read(a, next, rec, 256);
		assert_int_equal(p.lost, 0);
		for (uint32_t i = 0; i < p.n; i++) {
			if (i % 16 == 0 || i == p.n - 1) /* the chain is recomputed for some, the numbers for all */
				assert_true(audit_verify(&rec[i], i ? rec[i - 1].hash : prev));
			assert_int_equal(rec[i].seq, next + i);
		}
		for (size_t b = 0; b < sizeof(prev); b++)
			prev[b] = rec[p.n - 1].hash[b];
		next = p.next;
		seen += p.n;
	}
	audit_destroy(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_holdings_are_found_in_logarithmic_time),
		cmocka_unit_test(the_chain_holds_over_many_rings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
