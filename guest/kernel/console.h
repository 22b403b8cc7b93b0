/* SPDX-License-Identifier: BSD-2-Clause */
/* The console's set-up and its ring, for tests that misuse it. */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H
#include <stdint.h>
#include <xen/io/console.h>

void console_init(void);
struct xencons_interface *console_ring(void);
uint32_t console_port(void);
#endif
