/* SPDX-License-Identifier: BSD-2-Clause */
/* The event vector set to everything it can be set to, exceptions included, while events come. */
#include "test.h"
#include "event.h"
#include "hypercall.h"
#include "trap.h"

const char test_title[] = "hostile-irq-loop";

/* The selector goes too: with its bit left standing, the next event of the word raises no upcall. */
static void ignore(struct trap_frame *f)
{
	(void)f;
	WRITE_ONCE(shared_info->vcpu_info[0].evtchn_upcall_pending, 0);
	__atomic_store_n(&shared_info->vcpu_info[0].evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
}

void test_main(void)
{
	int port = event_bind_ipi(0);
	unsigned int v, i;
	trap_fn upcall = trap_set(VECTOR_EVENT, NULL);

	CHECK(port > 0, "%d", port);
	event_unmask((evtchn_port_t)port);
	cpu_cli();
	for (v = 0; v < 256; v++)
		trap_set(v, ignore);
	for (v = 32; v < 256; v++) {
		hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | v);
		for (i = 0; i < 4; i++) {
			shared_info->evtchn_pending[0] = shared_info->evtchn_pending[0] & ~(1ul << port);
			event_send((evtchn_port_t)port);
			cpu_sti();
			cpu_pause();
			cpu_cli();
		}
		test_count(1);
	}
	printk("all vectors done\n");
	for (v = 0; v < 40; v++)
		hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)v << 56 | (v * 0x1111));
	for (v = 0; v < 256; v++)
		trap_set(v, NULL);
	trap_set(VECTOR_EVENT, upcall);
	CHECK_EQ(hvm_param_set(HVM_PARAM_CALLBACK_IRQ, (uint64_t)HVM_PARAM_CALLBACK_TYPE_VECTOR << 56 | VECTOR_EVENT), 0);
	cpu_sti();
	CHECK(!WAIT_UNTIL_TIMEOUT(false, 10 * MSEC), "-");
}
