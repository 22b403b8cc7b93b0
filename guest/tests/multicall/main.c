/* SPDX-License-Identifier: BSD-2-Clause */
/* Several hypercalls in one: results in place, errors one by one, no multicall in a multicall, a bad list refused. */
#include "test.h"
#include <errno.h>
#include <string.h>
#include "event.h"
#include "hypercall.h"

const char test_title[] = "multicall";
static struct multicall_entry calls[512];

static int go(void *list, unsigned long n)
{
	return (int)HYPERCALL(__HYPERVISOR_multicall, list, n, 0);
}

void test_main(void)
{
	struct sched_shutdown off = { .reason = SHUTDOWN_crash };
	unsigned int i;
	int rc;

	for (i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version, .args = { XENVER_version } };
	rc = go(calls, 2);
	if (rc == -ENOSYS)
		test_skip("the host has no multicall");
	CHECK_EQ(rc, 0);
	CHECK(calls[0].result >> 16 >= 4 && calls[1].result == calls[0].result, "%lx", calls[0].result);
	CHECK_EQ(go(calls, ARRAY_LEN(calls)), 0);
	CHECK(calls[511].result == calls[0].result, "%lx", calls[511].result);
	CHECK_EQ(go(calls, 0), 0);

	calls[0].op = 9999;
	calls[1] = (struct multicall_entry){ .op = __HYPERVISOR_multicall, .args = { (unsigned long)calls, 2 } };
	calls[2] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op, .args = { EVTCHNOP_close, (unsigned long)NOWHERE } };
	calls[3] = (struct multicall_entry){ .op = __HYPERVISOR_sched_op, .args = { SCHEDOP_yield, 0 } };
	CHECK_EQ(go(calls, 4), 0);
	CHECK((long)calls[0].result == -ENOSYS, "%lx", calls[0].result);
	CHECK((long)calls[1].result < 0, "nested: %lx", calls[1].result);
	CHECK((long)calls[2].result == -EFAULT, "%lx", calls[2].result);
	CHECK_EQ(calls[3].result, 0);
	CHECK_EQ(go(NOWHERE, 1), -EFAULT);
	rc = go(NOWHERE, ~0ul);
	CHECK(rc < 0, "%d", rc);
	rc = go(calls, 1ul << 32);
	CHECK(rc <= 0, "%d", rc);
	test_verdict();
	/* The end inside a list: what follows must not run on a dead vcpu. */
	off.reason = SHUTDOWN_poweroff;
	calls[0] = (struct multicall_entry){ .op = __HYPERVISOR_sched_op, .args = { SCHEDOP_shutdown, (unsigned long)&off } };
	go(calls, 2);
}
