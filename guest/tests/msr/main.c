/* SPDX-License-Identifier: BSD-2-Clause */
/* Every MSR of every block: reading gives a value or #GP, writing the same value back gives neither harm nor another fault. */
#include "test.h"
#include "trap.h"

const char test_title[] = "msr";

static const struct {
	uint32_t first, last;
} blocks[] = {
	{ 0, 0x2ff }, { 0x300, 0xdff }, { 0x1000, 0x10ff }, { 0x40000000, 0x400001ff }, { 0xc0000000, 0xc00003ff },
	{ 0xc0010000, 0xc00103ff }, { 0xc0011000, 0xc00110ff }, { 0xffffff00, 0xffffffff },
};

/* Those whose being written means something now: time, APIC base and registers, the hypercall page, EFER. */
static bool leave_alone(uint32_t msr)
{
	return msr == 0x10 || msr == 0x1b || (msr >= 0x800 && msr < 0x900) || (msr >= 0x40000000 && msr < 0x40001000);
}

static void one(uint32_t msr, unsigned int *readable, unsigned int *written)
{
	uint64_t v = 0;
	int fault = rdmsr_safe(msr, &v), wfault;

	CHECK(fault == 0 || fault == TRAP_GP, "reading %x: exception %d", msr, fault);
	*readable += !fault;
	if (fault || leave_alone(msr))
		return;
	wfault = wrmsr_safe(msr, v);
	CHECK(wfault == 0 || wfault == TRAP_GP, "writing %x: exception %d", msr, wfault);
	*written += !wfault;
}

static void known(void)
{
	uint64_t v;

	CHECK_EQ(rdmsr_safe(0xc0000080, &v), 0);
	CHECK((v & 0x500) == 0x500, "EFER %lx", v);
	CHECK_EQ(wrmsr_safe(0xc0000080, v | 1ull << 40), TRAP_GP);
	CHECK_EQ(rdmsr_safe(0x1b, &v), 0);
	CHECK((v & ~0xffful) == 0xfee00000 && (v & 0x900) == 0x900, "APIC base %lx", v);
	CHECK_EQ(rdmsr_safe(0x277, &v), 0);
	CHECK_EQ(wrmsr_safe(0xc0000100, 0x1234567000), 0);
	CHECK_EQ(rdmsr(0xc0000100), 0x1234567000);
	CHECK_EQ(wrmsr_safe(0xc0000100, 0), 0);
}

void test_main(void)
{
	unsigned int readable = 0, written = 0, i;
	uint32_t msr;

	for (i = 0; i < ARRAY_LEN(blocks); i++)
		for (msr = blocks[i].first;; msr++) {
			one(msr, &readable, &written);
			if (msr == blocks[i].last)
				break;
		}
	printk("%u readable, %u writable\n", readable, written);
	known();
}
