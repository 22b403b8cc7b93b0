/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O ports, device registers, and the ordering that drivers need.
 *
 * x86 keeps stores in order with stores and loads with loads, for RAM and for uncached registers; what is left to
 * order is the compiler, and a store followed by a load of something else (io_mb).
 */
#ifndef HV_IO_H
#define HV_IO_H

#include <stdatomic.h>
#include <stdint.h>

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline void outl(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint16_t inw(uint16_t port)
{
	uint16_t v;
	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint32_t inl(uint16_t port)
{
	uint32_t v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline uint8_t mmio_read8(const volatile void *p)
{
	return *(const volatile uint8_t *)p;
}

static inline uint16_t mmio_read16(const volatile void *p)
{
	return *(const volatile uint16_t *)p;
}

static inline uint32_t mmio_read32(const volatile void *p)
{
	return *(const volatile uint32_t *)p;
}

static inline void mmio_write8(volatile void *p, uint8_t v)
{
	*(volatile uint8_t *)p = v;
}

static inline void mmio_write16(volatile void *p, uint16_t v)
{
	*(volatile uint16_t *)p = v;
}

static inline void mmio_write32(volatile void *p, uint32_t v)
{
	*(volatile uint32_t *)p = v;
}

/* Loads before it are done before loads and stores after it. */
static inline void io_rmb(void)
{
	atomic_thread_fence(memory_order_acquire);
}

/* Stores before it are seen before stores after it. */
static inline void io_wmb(void)
{
	atomic_thread_fence(memory_order_release);
}

/* Stores before it are seen before loads after it are done. */
static inline void io_mb(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

#endif
