/* SPDX-License-Identifier: BSD-2-Clause */
/* Read the multiboot2 information at a physical address into boot_info. Stops the machine when it is not usable. */
#ifndef ARCH_X86_MULTIBOOT_H
#define ARCH_X86_MULTIBOOT_H
#include <stdint.h>
void multiboot_parse(uint32_t magic, uint64_t info_pa);
#endif
