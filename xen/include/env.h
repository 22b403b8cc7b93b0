/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The environment of the host-free code: memory, log, locks, byte order.
 *
 * Router, schedulers, xenstore, audit and control see the machine through this header only, so the same objects link
 * into the hypervisor (xen/common/env.c) and into host programs (tests/host/env.c). Time and randomness are not here:
 * they are passed in by the caller, which makes every run repeatable.
 */
#ifndef ENV_H
#define ENV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum env_level { ENV_ERROR, ENV_WARN, ENV_INFO, ENV_DEBUG };

/* Zeroed memory of `size` bytes, aligned to 16 (to 4096 from one page on); NULL when there is none. */
void *env_alloc(size_t size);
/* `size` as it was allocated; p may be NULL. */
void env_free(void *p, size_t size);
void env_log(enum env_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* In long work: what is urgent may be done now. The hypervisor takes interrupts, which take no locks: ours may be held. */
void env_yield(void);
_Noreturn void env_bug(const char *file, int line, const char *what);

#define ENV_ASSERT(x) ((x) ? (void)0 : env_bug(__FILE__, __LINE__, #x))
#define ENV_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define ENV_CACHE_LINE 64

/* A spin lock. The holder must not sleep and takes no second lock unless a comment at the lock says so. */
struct env_lock {
	atomic_flag held;
};

static inline void env_lock(struct env_lock *l)
{
	while (atomic_flag_test_and_set_explicit(&l->held, memory_order_acquire))
		__builtin_ia32_pause();
}

static inline void env_unlock(struct env_lock *l)
{
	atomic_flag_clear_explicit(&l->held, memory_order_release);
}

static inline uint16_t env_be16(uint16_t v)
{
	return __builtin_bswap16(v);
}

static inline uint32_t env_be32(uint32_t v)
{
	return __builtin_bswap32(v);
}

static inline uint64_t env_be64(uint64_t v)
{
	return __builtin_bswap64(v);
}

/* Unaligned loads and stores in network order. */
static inline uint16_t env_get16(const void *p)
{
	uint16_t v;
	__builtin_memcpy(&v, p, sizeof(v));
	return env_be16(v);
}

static inline uint32_t env_get32(const void *p)
{
	uint32_t v;
	__builtin_memcpy(&v, p, sizeof(v));
	return env_be32(v);
}

static inline uint64_t env_get64(const void *p)
{
	uint64_t v;
	__builtin_memcpy(&v, p, sizeof(v));
	return env_be64(v);
}

static inline void env_put16(void *p, uint16_t v)
{
	v = env_be16(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void env_put32(void *p, uint32_t v)
{
	v = env_be32(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

static inline void env_put64(void *p, uint64_t v)
{
	v = env_be64(v);
	__builtin_memcpy(p, &v, sizeof(v));
}

#endif
