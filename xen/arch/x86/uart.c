/* SPDX-License-Identifier: BSD-2-Clause */
/* The serial line COM1 (16550): polled output. A line that takes no bytes for long is given up, not waited for. */
#include "uart.h"

#include <stdint.h>
#include <stdio.h>

#include <hv/arch.h>
#include <hv/log.h>

#include "x86.h"

#define COM1 0x3f8
enum { UART_DATA = 0, UART_IER = 1, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };
#define LSR_THR_EMPTY 0x20
#define WAIT_ROUNDS 100000
#define FIFO_BYTES 16

static bool uart_on = true;
static bool uart_dead;

void uart_init(void)
{
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 0x80);
	outb(COM1 + UART_DATA, 1);
	outb(COM1 + UART_IER, 0);
	outb(COM1 + UART_LCR, 3);
	outb(COM1 + UART_FCR, 7);
	outb(COM1 + UART_MCR, 3);
	uart_dead = inb(COM1 + UART_LSR) == 0xff;
}

void uart_enable(bool enabled)
{
	uart_on = enabled;
}

static bool wait_empty(void)
{
	for (int i = 0; i < WAIT_ROUNDS; i++)
		if (inb(COM1 + UART_LSR) & LSR_THR_EMPTY)
			return true;
	uart_dead = true;
	return false;
}

void uart_write(const char *s, size_t n)
{
	unsigned room = 0;

	if ((!uart_on && !panic_stopping()) || uart_dead)
		return;
	for (; n; n--, s++) {
		if (!room) {
			if (!wait_empty())
				return;
			room = FIFO_BYTES;
		}
		if (*s == '\n') {
			outb(COM1 + UART_DATA, '\r');
			if (--room == 0 && !wait_empty())
				return;
			room = room ? room : FIFO_BYTES;
		}
		outb(COM1 + UART_DATA, (uint8_t)*s);
		room--;
	}
}

void serial_printf(const char *fmt, ...)
{
	char line[LOG_LINE_MAX + 32];
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	uart_write(line, n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}
