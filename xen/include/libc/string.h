/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of <string.h> that freestanding code here may use; xen/lib/string.c has the bodies. */
#ifndef LIBC_STRING_H
#define LIBC_STRING_H
#include <stddef.h>
void *memcpy(void *restrict d, const void *restrict s, size_t n);
void *memmove(void *d, const void *s, size_t n);
void *memset(void *d, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *t);

/* A few bytes, known how many, are a few moves. */
#define memcpy(d, s, n) (__builtin_constant_p(n) && (n) <= 64 ? __builtin_memcpy(d, s, n) : memcpy(d, s, n))
#define memset(d, c, n) (__builtin_constant_p(n) && (n) <= 64 ? __builtin_memset(d, c, n) : memset(d, c, n))
#endif
