/* SPDX-License-Identifier: BSD-2-Clause */
/* Claims: conflicts, hold-down, port sets. */
#include "rows.h"

static const struct row rows[] = {
	{ "a free range", "claim A S tcp 3000-3099 = 0\nowner S tcp 3000 = A\nowner S tcp 3099 = A\nowner S tcp 3100 = -\n"
	  "owner S udp 3000 = -" },
	{ "a conflict names the owner and the port", "claim A S tcp 1990-2010 = EEXIST B 2000" },
	{ "a conflict in the last port", "claim A S tcp 3000-4000 = EEXIST D 4000" },
	{ "refused claims change nothing", "claim A S tcp 1990-2010 = EEXIST B 2000\nowner S tcp 2000 = B\n"
	  "claim C S tcp 3000-4000 = EEXIST D 4000\nowner S tcp 3000 = -" },
	{ "a conflict in one protocol refuses all", "claim A S tcp,udp 443 = EEXIST B 443" },
	{ "the same port of another protocol is free", "claim A S udp 80 = 0\nowner S udp 80 = A\nowner S tcp 80 = A" },
	{ "what one has already is no conflict", "claim A S all 1000-1999 = 0\nclaim A S all 1500-1999 = 0" },
	{ "port 0 of tcp is never granted", "claim A S tcp 0-10 = EINVAL" },
	{ "identifier 0 of echo is", "claim A S icmp 0-10 = 0" },
	{ "not a shared address", "claim A C tcp 3000 = ENOENT" },
	{ "reversed range", "claim A S tcp 3000-2000 = EINVAL" },
	{ "no protocol", "claim A S none 3000 = EINVAL" },
	{ "free: only one's own", "free A S tcp 2000 = EACCES" },
	{ "free: only when all is one's own", "free A S tcp 1990-2000 = EACCES\nowner S tcp 1990 = A" },
	{ "free: nobody's", "free A S tcp 3000 = EACCES" },
	{ "free: then packets find nobody", "free A S tcp 1000-1999 = 0\nin u tcp X:9>S:1000\ndrop port-unowned\nemit u icmp S>X 3/3" },
	{ "hold-down: not for others", "free A S tcp 1000 = 0\nclaim B S tcp 1000 = EEXIST A 1000" },
	{ "hold-down: for the last owner at once", "free A S tcp 1000 = 0\nclaim A S tcp 1000 = 0\nin u tcp X:9>S:1000\nfwd A" },
	{ "hold-down: not over after 119 s", "free A S tcp 1000 = 0\ntime 119\nclaim B S tcp 1000 = EEXIST A 1000" },
	{ "hold-down: over after 120 s", "free A S tcp 1000 = 0\ntime 120\nclaim B S tcp 1000 = 0\nin u tcp X:9>S:1000\nfwd B" },
	{ "hold-down: of a deleted domain", "del A\nclaim B S tcp 1000 = EEXIST A 1000\ntime 120\nclaim B S tcp 1000 = 0" },
	{ "hold-down: only of that protocol", "free A S tcp 1500 = 0\nclaim B S udp 1500 = EEXIST A 1500" },
	{ "MAP-E a=4 k=8 psid=0x34: ranges 0x1340.. (RFC 7597 B.2)", "claim C T tcp 4/8/52 = 0\nowner T tcp 4928 = C\n"
	  "owner T tcp 4943 = C\nowner T tcp 4944 = -\nowner T tcp 9024 = C\nowner T tcp 62272 = C" },
	{ "MAP-E a=0: one contiguous range", "claim C T tcp 0/8/3 = 0\nowner T tcp 768 = C\nowner T tcp 1023 = C\nowner T tcp 1024 = -" },
	{ "MAP-E a=6 k=8: default offset keeps 0-1023 free", "claim C T tcp 6/8/0 = 0\nowner T tcp 1023 = -\nowner T tcp 1024 = C\n"
	  "owner T tcp 1027 = C\nowner T tcp 1028 = -" },
	{ "MAP-E: psid too large", "claim C T tcp 4/4/16 = EINVAL" },
	{ "MAP-E: more than 16 bits", "claim C T tcp 10/8/1 = EINVAL" },
	{ "MAP-E: conflict", "claim C T tcp 4/4/5 = EEXIST B 5376" },
	{ "MAP-E: neighbours fit side by side", "claim C T tcp 4/4/6 = 0\nclaim C T tcp 4/4/4 = 0" },
	{ "MAP-E: freed whole", "free B T all 4/4/5 = 0\nin u tcp X:9>T:5376\ndrop port-unowned\nemit u icmp T>X 3/3" },
	{ "a range inside a MAP-E set's gap", "claim C T tcp 5632-5700 = 0" },
	{ "whole range of an address", "claim C T sctp 1-65535 = EEXIST B 5376" },
};

const struct table slice_table = TABLE("slices", rows);
