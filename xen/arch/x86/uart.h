/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial line COM1, output only. */
#ifndef ARCH_X86_UART_H
#define ARCH_X86_UART_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* 115200 8N1. enabled = false keeps it silent (boot option console=none); panics are always printed. */
void uart_init(void);
void uart_enable(bool enabled);
void uart_write(const char *s, size_t n);
bool panic_stopping(void);

#endif
