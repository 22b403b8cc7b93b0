/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is there a word of memory that nobody owned anywhere in ours, after every kind of answer has been asked for? The host must
 * fill its free memory with the word for this to mean something (tests/system/cases_canary.py); elsewhere it holds too.
 */
#include "random.h"
#include <string.h>
#include "console.h"
#include "event.h"
#include "grant.h"
#include "hypercall.h"
#include "store.h"
#include "trap.h"

const char test_title[] = "canary";

static volatile uint32_t half_a = 0xc5a1e57a ^ 0x55555555, half_b = 0xcec0ffee ^ 0x55555555; /* the word must not stand in us */
static uint8_t buf[16384] __page_aligned;

static uint64_t canary(void)
{
	return (uint64_t)(half_a ^ 0x55555555) << 32 | (half_b ^ 0x55555555);
}

static void look(const char *what, const void *start, size_t bytes)
{
	const uint64_t *p = start;
	uint64_t word = canary();
	size_t i;

	for (i = 0; i < bytes / sizeof(*p); i++)
		if (p[i] == word) {
			test_failure("%s: free memory at byte %lu", what, i * 8);
			break;
		}
	test_count(1);
}

/* Also where it does not begin at a multiple of eight, and half of it in a register. */
static void look_close(const char *what, unsigned int op, long result)
{
	uint64_t word = canary();
	size_t i;

	for (i = 0; i + 8 <= sizeof(buf); i++)
		if (buf[i] == (uint8_t)word && !memcmp(buf + i, &word, 8)) {
			test_failure("%s %u: free memory at byte %lu", what, op, i);
			break;
		}
	CHECK((uint32_t)result != (uint32_t)word && (uint32_t)result != (uint32_t)(word >> 32), "%s %u answers %lx", what, op, result);
}

/* Every operation of every number, on a buffer of small numbers: what is written into it is looked at. */
static void answers(void)
{
	static const uint8_t skip[] = { __HYPERVISOR_sched_op, __HYPERVISOR_multicall, __HYPERVISOR_console_io };
	unsigned int nr, op, fill;

	for (nr = 0; nr < 64; nr++)
		for (op = 0; op < 48; op++)
			for (fill = 0; fill < 2; fill++) {
				if (memchr(skip, (int)nr, sizeof(skip)) || (nr == __HYPERVISOR_event_channel_op && op == EVTCHNOP_reset) ||
				    (nr == __HYPERVISOR_memory_op && op != XENMEM_memory_map && op != XENMEM_maximum_gpfn) ||
				    (nr == __HYPERVISOR_vcpu_op && op == VCPUOP_down))
					continue;
				memset(buf, (int)fill, sizeof(buf));
				long r = nr == __HYPERVISOR_vcpu_op ? hypercall(nr, op, 0, (uint64_t)buf, 0, 0) :
								      hypercall(nr, op, (uint64_t)buf, fill, 0, 0);
				look_close("hypercall", nr * 100 + op, r);
			}
}

static void store(void)
{
	static const char *const paths[] = { "", ".", "device", "console", "device/vif/0", "domid", "/", "/local/domain", "nothing" };
	unsigned int i, type;

	for (type = 0; type < 24; type++)
		for (i = 0; i < ARRAY_LEN(paths); i++) {
			if (type == XS_RELEASE || type == XS_INTRODUCE || type == XS_RESET_WATCHES)
				continue;
			memset(buf, 0, sizeof(buf));
			store_request(type, 0, paths[i], strlen(paths[i]) + 1, (char *)buf, sizeof(buf));
			look_close("store request", type, 0);
		}
}

static void machine(void)
{
	uint32_t leaf, sub, msr;
	uint64_t v;

	for (leaf = 0; leaf < 0x20; leaf++)
		for (sub = 0; sub < 4; sub++) {
			struct cpuid_regs r = cpuid(leaf, sub), x = cpuid(0x40000000 + leaf, sub), e = cpuid(0x80000000 + leaf, sub);
			uint32_t all[] = { r.eax, r.ebx, r.ecx, r.edx, x.eax, x.ebx, x.ecx, x.edx, e.eax, e.ebx, e.ecx, e.edx };

			look("cpuid", all, sizeof(all));
		}
	for (msr = 0; msr < 0x1000; msr++)
		if (!rdmsr_safe(msr, &v) || !rdmsr_safe(0xc0000000 + msr, &v))
			CHECK(v != canary(), "msr %x", msr);
}

static void ignore(struct trap_frame *f)
{
	(void)f;
}

void test_main(void)
{
	unsigned int i;
	void *p;

	trap_set(TRAP_NMI, ignore); /* it may send itself one */
	answers();
	store();
	machine();
	look("shared info", shared_info, PAGE_SIZE);
	look("console", console_ring(), PAGE_SIZE);
	look("store", store_ring(), PAGE_SIZE);
	look("tables of ACPI", (void *)(start_info.rsdp_paddr & ~0xffful), PAGE_SIZE);
	for (i = 0; i < GRANT_REFS; i += PAGE_SIZE / sizeof(struct grant_entry_v1))
		look("grant table", grant_entry(i), PAGE_SIZE);
	look("everything below the image's end", (void *)PAGE_SIZE, (size_t)page_alloc() - PAGE_SIZE);
	while ((p = page_alloc_fresh()))
		look("fresh page", p, PAGE_SIZE);
}
