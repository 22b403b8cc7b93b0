/* SPDX-License-Identifier: BSD-2-Clause */
/* Packet formats as byte offsets, and the arithmetic of internet checksums. */
#ifndef VFR_WIRE_H
#define VFR_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <env.h>

#define ETH_LEN		14u
#define ETH_IPV4	0x0800u
#define ETH_IPV6	0x86ddu
#define ETH_ARP		0x0806u
#define IP4_LEN		20u
#define IP6_LEN		40u

enum { IP_ICMP = 1, IP_IGMP = 2, IP_TCP = 6, IP_UDP = 17, IP_FRAGMENT = 44, IP_ESP = 50, IP_ICMP6 = 58, IP_SCTP = 132 };

#define TCP_FIN		0x01u
#define TCP_SYN		0x02u
#define TCP_RST		0x04u
#define TCP_ACK		0x10u

/* Offsets in an IPv4 header. */
enum { IP4_TOS = 1, IP4_TLEN = 2, IP4_ID = 4, IP4_FRAG = 6, IP4_TTL = 8, IP4_PROTO = 9, IP4_CSUM = 10, IP4_SRC = 12, IP4_DST = 16 };
#define IP4_DF 0x4000u
#define IP4_MF 0x2000u
/* Offsets in an IPv6 header. */
enum { IP6_PLEN = 4, IP6_NEXT = 6, IP6_HOPS = 7, IP6_SRC = 8, IP6_DST = 24 };

static inline bool mac_equal(const uint8_t *a, const uint8_t *b)
{
	uint32_t a4, b4;
	uint16_t a2, b2;

	__builtin_memcpy(&a4, a, 4);
	__builtin_memcpy(&b4, b, 4);
	__builtin_memcpy(&a2, a + 4, 2);
	__builtin_memcpy(&b2, b + 4, 2);
	return a4 == b4 && a2 == b2;
}

/* One's complement sum of native-order 16-bit words; fold and complement to get a checksum in memory order. */
static inline uint64_t csum_add(uint64_t sum, const void *data, uint32_t len)
{
	const uint8_t *p = data;
	uint32_t w;
	uint16_t h;

	for (; len >= 4; len -= 4, p += 4) {
		__builtin_memcpy(&w, p, 4);
		sum += w;
	}
	if (len >= 2) {
		__builtin_memcpy(&h, p, 2);
		sum += h;
		p += 2;
		len -= 2;
	}
	if (len)
		sum += *p;
	return sum;
}

/* => no host beyond its own link can have it: nobody, loop, link-local (RFC 3927 section 7), groups and what is above them. */
static inline bool never_source(uint32_t a)
{
	return a >> 24 == 0 || a >> 24 == 127 || a >> 16 == 0xa9fe || a >> 28 >= 14;
}

/* Nobody, and the loop inside a host (RFC 4291 sections 2.5.2, 2.5.3). */
static inline bool never6(const uint8_t *a)
{
	return !env_get64(a) && env_get64(a + 8) <= 1;
}

static inline bool link_local6(const uint8_t *a)
{
	return a[0] == 0xfe && (a[1] & 0xc0) == 0x80;
}

static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The checksum of `data`, to be stored as it is (no byte swap). */
static inline uint16_t csum_of(const void *data, uint32_t len)
{
	return (uint16_t)~csum_fold(csum_add(0, data, len));
}

static inline void csum_store(uint8_t *at, uint16_t csum)
{
	__builtin_memcpy(at, &csum, 2);
}

static inline uint16_t csum_load(const uint8_t *at)
{
	uint16_t c;

	__builtin_memcpy(&c, at, 2);
	return c;
}

/* RFC 1624: a 16-bit field (memory order) of checksummed data changes from `was` to `is`. */
static inline void csum_update(uint8_t *at, uint16_t was, uint16_t is)
{
	uint32_t s = (uint16_t)~csum_load(at) + (uint32_t)(uint16_t)~was + is;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	csum_store(at, (uint16_t)~s);
}

/* The same for a sum that is not complemented (the pseudo-header sum of a partial checksum). */
static inline void csum_update_partial(uint8_t *at, uint16_t was, uint16_t is)
{
	uint32_t s = csum_load(at) + (uint32_t)(uint16_t)~was + is;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	csum_store(at, (uint16_t)s);
}

static inline uint16_t csum_pseudo4(const uint8_t *ip, uint8_t proto, uint32_t l4_len)
{
	return csum_fold(csum_add(0, ip + IP4_SRC, 8) + env_be16(proto) + env_be32(l4_len));
}

static inline uint16_t csum_pseudo6(const uint8_t *ip, uint8_t proto, uint32_t l4_len)
{
	return csum_fold(csum_add(0, ip + IP6_SRC, 32) + env_be32(proto) + env_be32(l4_len));
}

#endif
