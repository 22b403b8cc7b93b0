/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the router costs on one core, in memory: the very objects that ship, given batches of 64 packets.
 *
 *	router-bench WHAT [N...]			"NAME VALUE" lines: ns (or million a second) the best of many runs
 *	router-bench acl-files N RULES TRACE	the rules and keys of `rules N` for dpdk-test-acl
 */
#include "load.h"

static const struct {
	const char *name;
	void (*measure)(unsigned int n);
	bool sized;
	const char *what;
} figures[] = {
	{ "path", bench_path, false, "64-byte packets, both directions, without connections and with connection hits" },
	{ "path6", bench_path6, false, "the same with IPv6" },
	{ "asked", bench_asked, true, "the same without connections, N rules to ask" },
	{ "ports", bench_ports, true, "the same without connections, one slice of N ports" },
	{ "domains", bench_domains, true, "N domains" },
	{ "flows", bench_flows, true, "N flows inside slices" },
	{ "added", bench_added, true, "N flows of owners of slices beside those of owners of whole addresses" },
	{ "grants", bench_grants, false, "slice claims and frees" },
	{ "conns", bench_conns, false, "lookups among a million connections" },
	{ "rules", bench_rules, true, "first match among N random rules" },
};

static int usage(void)
{
	fprintf(stderr, "usage: router-bench WHAT [N...]\n");
	for (size_t i = 0; i < ENV_ARRAY_SIZE(figures); i++)
		fprintf(stderr, "  %-8s%s  %s\n", figures[i].name, figures[i].sized ? " N..." : "     ", figures[i].what);
	fprintf(stderr, "  acl-files N RULES TRACE\n");
	return 2;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 5 && !strcmp(argv[1], "acl-files"))
		return write_acl((unsigned int)atoi(argv[2]), argv[3], argv[4]);
	for (size_t i = 0; argc > 1 && i < ENV_ARRAY_SIZE(figures); i++) {
		if (strcmp(argv[1], figures[i].name) || figures[i].sized != (argc > 2))
			continue;
		for (int a = 2; a < argc; a++) {
			if (atoi(argv[a]) < 1)
				return usage();
			figures[i].measure((unsigned int)atoi(argv[a]));
		}
		if (argc == 2)
			figures[i].measure(0);
		return 0;
	}
	return usage();
}
