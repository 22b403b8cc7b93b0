/* SPDX-License-Identifier: BSD-2-Clause */
/* Text and its meaning: tables of what is accepted, what is refused, and that what is printed reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../../tools/lib/vfrc.h"

struct number {
	const char *text;
	int rc;
	uint64_t value;
};

static void check_numbers(const struct number *v, size_t n, int (*fn)(const char *, uint64_t *))
{
	for (size_t i = 0; i < n; i++) {
		uint64_t got = 0;

		if (fn(v[i].text, &got) != v[i].rc || (!v[i].rc && got != v[i].value))
			fail_msg("'%s' gave %llu", v[i].text, (unsigned long long)got);
	}
}

#define COUNT(v) (sizeof(v) / sizeof(*(v)))

static void sizes_are_binary(void **state)
{
	static const struct number v[] = {
		{"0", 0, 0}, {"65536", 0, 65536}, {"4K", 0, 4096}, {"256M", 0, 268435456}, {"256 MiB", 0, 268435456},
		{"1.5G", 0, 1610612736},
		{"1T", 0, 1ull << 40}, {"M", -1, 0}, {"-1M", -1, 0}, {"", -1, 0}, {"12X", -1, 0}, {"9e30", -1, 0},
	};

	check_numbers(v, COUNT(v), vfrc_parse_size);
}

static void rates_are_decimal_and_need_a_unit(void **state)
{
	static const struct number v[] = {
		{"50mbit", 0, 50000000}, {"1gbit", 0, 1000000000}, {"9600bit", 0, 9600}, {"2.5gbit", 0, 2500000000},
		{"1Mbit/s", 0, 1000000},
		{"50", -1, 0}, {"mbit", -1, 0}, {"50mb", -1, 0},
	};

	check_numbers(v, COUNT(v), vfrc_parse_rate);
}

static void durations_are_milliseconds(void **state)
{
	static const struct number v[] = {
		{"5m", 0, 300000}, {"30s", 0, 30000}, {"500ms", 0, 500}, {"1h", 0, 3600000}, {"1.5s", 0, 1500}, {"5", -1, 0}, {"s", -1, 0},
		{"5d", -1, 0},
	};

	check_numbers(v, COUNT(v), vfrc_parse_duration);
}

static void times_are_utc(void **state)
{
	static const struct number v[] = {
		{"1970-01-01T00:00:01Z", 0, 1000000000}, {"2026-11-21T12:00:03Z", 0, 1795262403000000000ull},
		{"2026-11-21T12:00:03.25Z", 0, 1795262403250000000ull}, {"2026-11-21 12:00:03", 0, 1795262403000000000ull},
		{"@1", 0, 1000000000},
		/* With a zone, as mails and web servers write it. */
		{"2026-11-21T12:00:03+01:00", 0, 1795258803000000000ull}, {"2026-11-21 12:00:03 UTC", 0, 1795262403000000000ull},
		{"2026-11-21 12:00:03 -0530", 0, 1795282203000000000ull}, {"2026-11-21T12:00:03,5Z", 0, 1795262403500000000ull},
		{"21/Nov/2026:12:00:03 +0000", 0, 1795262403000000000ull}, {"Sat, 21 Nov 2026 13:00:03 +0100", 0, 1795262403000000000ull},
		{"21 Nov 2026 12:00:03 GMT", 0, 1795262403000000000ull},
		{"12:00", -1, 0}, {"", -1, 0}, {"2026-11-21", -1, 0}, {"2026-02-30 12:00:03", -1, 0}, {"2026-11-21 12:00:03 CET", -1, 0},
		{"2026-11-21T12:00:03+1", -1, 0}, {"2026-11-21T12:00:03+25:00", -1, 0}, {"1969-12-31T23:59:59Z", -1, 0},
		{"1970-01-01T00:30:00+01:00", -1, 0},
	};
	char text[64];

	check_numbers(v, COUNT(v), vfrc_parse_time);
	vfrc_format_time(1795262403250000000ull, text, sizeof(text));
	assert_string_equal(text, "2026-11-21T12:00:03.250Z");
}

static void ports_read_back_as_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} v[] = {
		{"80/tcp", "80/tcp"}, {"53/tcp+udp", "53/tcp+udp"}, {"20000-20999", "20000-20999/tcp+udp+icmp"}, {"7/udp", "7/udp"},
		{"1-65535/sctp", "1-65535/sctp"}, {"mape 6/8/52", "mape 6/8/52"}, {"mape:0/4/3", "mape 0/4/3"},
		{"65536", NULL}, {"80-70", NULL}, {"80/", NULL}, {"80/foo", NULL}, {"80/tcp/udp", NULL}, {"", NULL}, {"a", NULL},
		{"80-", NULL},
		{"-80", NULL}, {"split 20000-59999/1000/3", "23000-23999/tcp+udp+icmp"}, {"split 20000-29999/1000/10", NULL},
		{"split:1024-65535/1008/63", "64528-65535/tcp+udp+icmp"},
		{"split 20000-29999/0/0", NULL}, {"split 20000-29999/1000", NULL}, {"split 1-65536/1/0", NULL}, {"split 9-1/1/0", NULL},
		{"split 20000-29999/1000/4294967295", NULL}, {"mape 4294967295/2/0", NULL},
		{"mape 6/8/256", NULL}, {"mape 9/8/1", NULL}, {"mape 6/0/0", NULL}, {"80,81", NULL},
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct vc_slice_add s = {.kind = VC_SLICE_RANGE}, again = {.kind = VC_SLICE_RANGE};
		char text[96];

		if (vfrc_parse_ports(v[i].text, &s) != (v[i].printed ? 0 : -1))
			fail_msg("'%s'", v[i].text);
		if (!v[i].printed)
			continue;
		vfrc_format_ports(&s, text, sizeof(text));
		assert_string_equal(text, v[i].printed);
		assert_int_equal(vfrc_parse_ports(text, &again), 0);
		assert_memory_equal(&s, &again, sizeof(s));
	}
}

static void protocols_read_back_as_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} v[] = {
		{"gre", "protocol 47"}, {"protocol 41", "protocol 41"}, {"203.0.113.7:6in4", "protocol 41"}, {"esp", "protocol 50"},
		{"esp spi 0x1000", "esp spi 0x1000"}, {"esp spi 4096", "esp spi 0x1000"},
		{"203.0.113.7:esp spi 0xffffffff", "esp spi 0xffffffff"},
		{"tcp", NULL}, {"protocol 17", NULL}, {"protocol 0", NULL}, {"protocol 256", NULL}, {"esp spi 255", NULL},
		{"esp spi 0x100000000", NULL}, {"esp spi", NULL}, {"esp spi -1", NULL}, {"esp spi 4096x", NULL},
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct vc_slice_add s = {0};
		char text[96];
		bool given;

		if (vfrc_parse_slice(v[i].text, &s, &given) != (v[i].printed ? 0 : -1))
			fail_msg("'%s'", v[i].text);
		if (!v[i].printed)
			continue;
		vfrc_format_ports(&s, text, sizeof(text));
		assert_string_equal(text, v[i].printed);
		assert_int_equal(s.protos, 0);
	}
}

static void rules_read_back_as_printed(void **state)
{
	static const struct {
		const char *text, *printed;
	} v[] = {
		{"allow in tcp to 80,443", "allow in tcp to 80,443"},
		{"deny out tcp to 25", "deny out tcp to 25"},
		{"deny  out   tcp to port 25", "deny out tcp to 25"},
		{"reject both", "reject both"},
		{"allow in tcp from 192.0.2.0/24 to 22", "allow in tcp from 192.0.2.0/24 to 22"},
		{"deny in from 192.0.2.1", "deny in from 192.0.2.1"},
		{"deny in udp from 2001:db8::/32 53 to 2001:db8::1 1000-2000",
		 "deny in udp from 2001:db8::/32 53 to 2001:db8::1 1000-2000"},
		{"allow in icmp type 8", "allow in icmp type 8"},
		{"deny both icmp type 3/4 log", "deny both icmp type 3/4 log"},
		{"deny in tcp flags S/SA", "deny in tcp flags S/SA"},
		{"allow in tcp state established,related", "allow in tcp state established,related"},
		{"allow in udp to 53 limit 100/s burst 20 count", "allow in udp to 53 limit 100/s burst 20 count"},
		{"pass both log", "pass both log"}, {"allow in 47", "allow in gre"}, {"allow in 99", "allow in 99"},
		{"deny in ip6", "deny in ip6"},
		{"allow in tcp to any 80", "allow in tcp to 80"}, {"deny out tcp to 0.0.0.0/0 25", "deny out ip4 tcp to 25"},
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct vc_rule r, again;
		char why[200] = "", text[400];
		size_t at;

		if (vfrc_parse_rule(v[i].text, &r, why, sizeof(why), &at))
			fail_msg("'%s': %s at %zu", v[i].text, why, at);
		vfrc_format_rule(&r, text, sizeof(text));
		assert_string_equal(text, v[i].printed);
		assert_int_equal(vfrc_parse_rule(text, &again, why, sizeof(why), &at), 0);
		assert_memory_equal(&r, &again, sizeof(r));
	}
}

static void dscps_read_back_as_printed(void **state)
{
	static const struct {
		const char *text, *printed;
		uint64_t set;
	} v[] = {
		{"ef", "ef", 1ull << 46}, {"46", "ef", 1ull << 46}, {"ef,cs5", "cs5,ef", 1ull << 46 | 1ull << 40}, {"0-63", "0-63", ~0ull},
		{"10-12", "10-12", 7ull << 10}, {"10,11", "af11,11", 3ull << 10}, {"63", "63", 1ull << 63}, {"le,cs0", "cs0,le", 3},
		{"62-63,0-2", "0-2,62,63", 3ull << 62 | 7},
	};
	static const char *const wrong[] = {"", "64", "ef,", ",ef", "EF", "5-4", "1-64", "1-", "-1", "1x", "100",
		"af44", "1 2", "5--6", "+5"};
	char text[256];
	uint64_t set;

	for (size_t i = 0; i < COUNT(v); i++) {
		assert_int_equal(vfrc_parse_dscps(v[i].text, &set), 0);
		assert_true(set == v[i].set);
		vfrc_format_dscps(set, text, sizeof(text));
		assert_string_equal(text, v[i].printed);
	}
	for (size_t i = 0; i < COUNT(wrong); i++)
		if (!vfrc_parse_dscps(wrong[i], &set))
			fail_msg("'%s' was taken", wrong[i]);
	for (unsigned int i = 0; i < 100000; i++) {
		uint64_t random = ((uint64_t)rand() << 33 ^ (uint64_t)rand() << 13 ^ rand()) & ((uint64_t)rand() << 33 ^ rand()), back;

		vfrc_format_dscps(random, text, sizeof(text));
		if (random && (vfrc_parse_dscps(text, &back) || back != random))
			fail_msg("%s is not 0x%llx", text, (unsigned long long)random);
	}
	vfrc_format_dscps(0x5555555555555555, text, 8);	/* cut, not beyond */
	assert_int_equal(strlen(text), 7);
}

static void wrong_rules_are_refused_at_the_word(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} v[] = {
		{"", 0}, {"permit in tcp", 0}, {"allow sideways", 6}, {"allow in tpc to 80", 9}, {"allow in to 80", 12},
		{"allow in tcp to 1,2,3,4,5", 16},
		{"allow in tcp to 99999", 16}, {"allow in icmp to 80", 17}, {"allow in tcp from 10.0.0.0/40", 18},
		{"allow in tcp state maybe", 19},
		{"allow in from 10.0.0.1 to 2001:db8::1", 26}, {"allow in tcp flags SX/SA", 19}, {"allow in tcp flags SA/S", 19},
		{"allow in limit x", 15},
		{"allow in icmp type 256", 19}, {"allow in tcp udp", 13}, {"allow", 5},
	};

	for (size_t i = 0; i < COUNT(v); i++) {
		struct vc_rule r;
		char why[200] = "";
		size_t at = 999;

		if (!vfrc_parse_rule(v[i].text, &r, why, sizeof(why), &at) || at != v[i].at || !why[0])
			fail_msg("'%s': '%s' at %zu", v[i].text, why, at);
	}
}

static void random_rules_read_back_as_printed(void **state)
{
	srand(3);
	for (unsigned int i = 0; i < 50000; i++) {
		struct vc_rule r = {.dirs = 1 + rand() % 3, .action = rand() % 4, .flags = rand() % 4, .states = rand() % 16,
			.sub = rand() % VC_SUBS},
			again;
		char text[400], why[200];
		size_t at;

		if (rand() % 2) {
			r.proto_set = 1;
			r.proto = rand() % 3 ? (uint8_t[]){6, 17, 132}[rand() % 3] : rand();
		}
		if (r.proto_set && (r.proto == 6 || r.proto == 17 || r.proto == 132)) {
			r.nsrc = rand() % 5;
			r.ndst = rand() % 5;
		}
		for (unsigned int k = 0; k < 4; k++) {
			uint16_t a = rand(), b = rand();

			if (k < r.nsrc)
				r.sports[k] = (struct vc_port_range){a < b ? a : b, a < b ? b : a};
			if (k < r.ndst)
				r.dports[k] = (struct vc_port_range){a < b ? a : b, a < b ? b : a};
		}
		if (rand() % 2) {
			r.family = 4;
			memset(r.src.b + 10, 0xff, 2);
			r.src.b[12] = 10;
			r.src_len = 97 + rand() % 32;
		}
		vfrc_format_rule(&r, text, sizeof(text));
		if (vfrc_parse_rule(text, &again, why, sizeof(why), &at) || memcmp(&r, &again, sizeof(r)))
			fail_msg("'%s'", text);
	}
}

static void a_typo_gets_a_suggestion(void **state)
{
	static const char *const words[] = {"memory", "kernel", "ports", "rules"};

	assert_string_equal(vfrc_suggest("memroy", words, 4), "memory");
	assert_string_equal(vfrc_suggest("kernl", words, 4), "kernel");
	assert_string_equal(vfrc_suggest("port", words, 4), "ports");
	assert_null(vfrc_suggest("zzzzzz", words, 4));
}

static void addresses_of_both_families(void **state)
{
	struct vc_ip ip;
	uint8_t len;
	bool given;
	char text[64];

	assert_int_equal(vfrc_parse_prefix("203.0.113.7", &ip, &len, &given), 0);
	assert_int_equal(len, 32);
	assert_false(given);
	assert_int_equal(vfrc_parse_prefix("2001:db8::/64", &ip, &len, &given), 0);
	assert_int_equal(len, 64);
	vfrc_format_ip(&ip, text, sizeof(text));
	assert_string_equal(text, "2001:db8::");
	assert_int_equal(vfrc_parse_prefix("203.0.113.7/33", &ip, &len, &given), -1);
	assert_int_equal(vfrc_parse_prefix("203.0.113", &ip, &len, &given), -1);
	assert_int_equal(vfrc_parse_prefix("2001:db8::/129", &ip, &len, &given), -1);
}

static void rates_are_set_by_their_words(void **state)
{
	static const struct {
		const char *key, *value, *line;	/* what is printed then; NULL: refused */
	} v[] = {
		{"out", "50mbit", "out 50mbit"}, {"guarantee", "1.5gbit", "out 50mbit, guarantee 1500mbit"},
		{"weight", "3", "out 50mbit, guarantee 1500mbit, weight 3"}, {"weight", "0", NULL}, {"weight", "65536", NULL},
		{"out", "0bit", NULL}, {"out", "fast", NULL}, {"out", "none", "guarantee 1500mbit, weight 3"},
		{"guarantee", "none", "weight 3"}, {"weight", "none", "no limits"}, {"burst", "64K", "burst 64K"},
		{"burst", "4G", NULL}, {"new-flows", "200/s", "burst 64K, new-flows 200/s"},
		{"ip-id-block", "yes", "burst 64K, new-flows 200/s, ip-id-block yes"}, {"multicast", "maybe", NULL},
		{"multicast", "true", "burst 64K, new-flows 200/s, ip-id-block yes, multicast yes"},
		{"ip-id-block", "no", "burst 64K, new-flows 200/s, multicast yes"}, {"multicast", "none", "burst 64K, new-flows 200/s"},
		{"connections", "4294967296", NULL},
	};
	struct vc_rate_set r = {.dom = "web1"};
	const char *names[VFRC_RATE_KEYS];
	size_t n = vfrc_rate_names(names);

	for (size_t i = 0; i < COUNT(v); i++) {
		char why[100] = "", line[300];
		size_t k = 0;

		while (k < n && strcmp(names[k], v[i].key))
			k++;
		assert_int_not_equal(k, n);
		assert_int_equal(vfrc_rate_key(&r, k, v[i].value, why, sizeof(why)), v[i].line ? 0 : -1);
		vfrc_format_rates(&r, line, sizeof(line));
		if (v[i].line)
			assert_string_equal(line, v[i].line);
		else
			assert_non_null(strstr(why, v[i].value));
	}
	r.egress_set = 1;
	for (size_t room = 1; room < 40; room++) {
		char *line = malloc(room);

		vfrc_format_rates(&r, line, room);
		assert_true(strlen(line) < room);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_binary), cmocka_unit_test(rates_are_decimal_and_need_a_unit),
		cmocka_unit_test(rates_are_set_by_their_words),
		cmocka_unit_test(durations_are_milliseconds),
		cmocka_unit_test(times_are_utc), cmocka_unit_test(ports_read_back_as_printed),
		cmocka_unit_test(protocols_read_back_as_printed),
		cmocka_unit_test(rules_read_back_as_printed),
		cmocka_unit_test(dscps_read_back_as_printed),
		cmocka_unit_test(wrong_rules_are_refused_at_the_word), cmocka_unit_test(random_rules_read_back_as_printed),
		cmocka_unit_test(a_typo_gets_a_suggestion), cmocka_unit_test(addresses_of_both_families),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
