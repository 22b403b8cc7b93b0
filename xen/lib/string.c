/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory and strings for the freestanding build. Copies and fills go eight bytes at a time, eight times a round: string
 * instructions cost a trip through the emulator for each element under TCG, and gain nothing on short headers elsewhere.
 */
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;

/* string.h has them as macros too. */
#undef memcpy
#undef memset

/* Keep the compiler from recognising these loops as calls of themselves. */
#define NO_IDIOM __attribute__((optimize("no-tree-loop-distribute-patterns")))

/* => how many bytes: all that fill rounds of 64 */
static NO_IDIOM __attribute__((noinline)) size_t copy_rounds(uint8_t *dp, const uint8_t *sp, size_t n)
{
	size_t left = n;

	for (; left >= 64; left -= 64, dp += 64, sp += 64) {
		word *dw = (word *)dp;
		const word *sw = (const word *)sp;
		uint64_t a = sw[0], b = sw[1], c = sw[2], e = sw[3];
		dw[0] = a, dw[1] = b, dw[2] = c, dw[3] = e;
		a = sw[4], b = sw[5], c = sw[6], e = sw[7];
		dw[4] = a, dw[5] = b, dw[6] = c, dw[7] = e;
	}
	return n - left;
}

/* Eight to 63 bytes: halves of what may be left, and a last word over some of what went before. */
static inline void copy_words(uint8_t *dp, const uint8_t *sp, size_t n)
{
	word *last = (word *)(dp + n - 8);
	uint64_t end = *(const word *)(sp + n - 8);

	if (n & 32) {
		uint64_t a = ((const word *)sp)[0], b = ((const word *)sp)[1], c = ((const word *)sp)[2], e = ((const word *)sp)[3];
		((word *)dp)[0] = a, ((word *)dp)[1] = b, ((word *)dp)[2] = c, ((word *)dp)[3] = e;
		dp += 32, sp += 32;
	}
	if (n & 16) {
		uint64_t a = ((const word *)sp)[0], b = ((const word *)sp)[1];
		((word *)dp)[0] = a, ((word *)dp)[1] = b;
		dp += 16, sp += 16;
	}
	if (n & 8)
		*(word *)dp = *(const word *)sp;
	*last = end;
}

NO_IDIOM void *memcpy(void *restrict d, const void *restrict s, size_t n)
{
	uint8_t *dp = d;
	const uint8_t *sp = s;

	if (n >= 64) {
		size_t done = copy_rounds(dp, sp, n);
		dp += done, sp += done, n -= done;
		if (n)
			copy_words(dp, sp, n);
		return d;
	}
	if (n >= 8) {
		copy_words(dp, sp, n);
		return d;
	}
	if (n & 4) {
		*(half *)dp = *(const half *)sp;
		dp += 4, sp += 4;
	}
	for (n &= 3; n; n--)
		*dp++ = *sp++;
	return d;
}

NO_IDIOM void *memmove(void *d, const void *s, size_t n)
{
	uint8_t *dp = d;
	const uint8_t *sp = s;

	if (dp <= sp || dp >= sp + n) {
		for (; n >= 8; n -= 8, dp += 8, sp += 8)
			*(word *)dp = *(const word *)sp;
		while (n--)
			*dp++ = *sp++;
		return d;
	}
	for (; n >= 8; n -= 8)
		*(word *)(dp + n - 8) = *(const word *)(sp + n - 8);
	while (n--)
		dp[n] = sp[n];
	return d;
}

NO_IDIOM void *memset(void *d, int c, size_t n)
{
	uint8_t *dp = d;
	uint64_t w = 0x0101010101010101UL * (uint8_t)c;

	for (; n >= 64; n -= 64, dp += 64) {
		word *dw = (word *)dp;
		dw[0] = w, dw[1] = w, dw[2] = w, dw[3] = w;
		dw[4] = w, dw[5] = w, dw[6] = w, dw[7] = w;
	}
	for (; n >= 8; n -= 8, dp += 8)
		*(word *)dp = w;
	while (n--)
		*dp++ = (uint8_t)c;
	return d;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *ap = a, *bp = b;

	for (; n >= 8 && *(const word *)ap == *(const word *)bp; n -= 8)
		ap += 8, bp += 8;
	for (; n; n--, ap++, bp++)
		if (*ap != *bp)
			return *ap - *bp;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const uint8_t *p = s; n--; p++)
		if (*p == (uint8_t)c)
			return (void *)p;
	return NULL;
}

NO_IDIOM size_t strlen(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;
	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;
	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)found;
	}
}

char *strstr(const char *s, const char *t)
{
	size_t n = strlen(t);
	for (; *s || !n; s++) {
		if (!strncmp(s, t, n))
			return (char *)s;
		if (!*s)
			break;
	}
	return NULL;
}
