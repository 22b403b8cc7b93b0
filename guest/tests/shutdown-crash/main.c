/* SPDX-License-Identifier: BSD-2-Clause */
/* The end by SHUTDOWN_crash, with the reason as the toolstack sees it; a reason that does not exist is refused before. */
#include "test.h"
#include <errno.h>
#include "hypercall.h"

const char test_title[] = "shutdown-crash";

void test_main(void)
{
	CHECK_EQ(hv_sched(SCHEDOP_shutdown, NOWHERE), -EFAULT);
	CHECK_EQ(hv_sched(99, NULL), -ENOSYS);
	test_verdict();
	shutdown(SHUTDOWN_crash);
}
