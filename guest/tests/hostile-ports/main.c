/* SPDX-License-Identifier: BSD-2-Clause */
/* Every I/O port, read and written in every width: no device of the host answers. */
#include "try.h"

const char test_title[] = "hostile-ports";

void test_main(void)
{
	static uint8_t buf[64];
	unsigned int port, odd = 0;
	int fault;

	for (port = 0; port < 0x10000; port += port < 0x1000 ? 1 : 37) {
		if ((port & ~3u) == 0xe8 || port == 0xb004 || port == 0xb005 || port == 0xb000 || port == 0xb001)
			continue;
		odd += inl((uint16_t)port) != ~0u;
		outb((uint16_t)port, 0xa5);
		outl((uint16_t)port, 0x5a5a5a5a);
		odd += inb((uint16_t)port) != 0xff;
		test_count(4);
	}
	printk("%u answers other than all ones\n", odd);
	/* Strings of ports: the slow way in any hypervisor, which may also refuse them. */
	fault = TRY("movl $0x3f8, %%edx; movq %%rax, %%rdi; 1: rep insb", (uint64_t)buf);
	CHECK(fault == 0 || fault == TRAP_GP, "rep insb: exception %d", fault);
	fault = TRY("movl $0x3f8, %%edx; movq %%rax, %%rsi; 1: rep outsb", (uint64_t)buf);
	CHECK(fault == 0 || fault == TRAP_GP, "rep outsb: exception %d", fault);
}
