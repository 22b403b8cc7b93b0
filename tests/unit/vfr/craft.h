/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets as text, both ways.
 *
 * A packet is a line: PROTO SRC[:PORT]>DST[:PORT] [option ...]
 *   PROTO   tcp udp sctp icmp (4 or 6) esp gre arp ip=N
 *   SRC     an address, or a name of the test world (world.h); for icmp echo the port is the identifier
 *   options flags=SAFRP  ttl=N  id=N  len=N (payload)  frag=OFF[+] (bytes; + more follow)  df  echo  reply  type=T/C  mtu=N  spi=N
 *           smac=x dmac=x (guest, gw, up, bcast, other)  badsum  ver=N  cut=N (bytes off the end)  pad=N  tlen=N  gso=N  partial
 *           opt=N (an IP option of type N)  quote(PACKET)  q=N (bytes of the quoted packet; all of it else)  op=N (arp)
 *           nh=N (what an IPv6 fragment header names)  inner (what is cut begins with destination options)
 * Others: nd NS|NA|RS|RA SRC>TARGET [hops=N] [badsum] [atomic (fragment header)] [all (to all nodes)] [option (its MAC)] [solicited];
 *         dhcp TYPE [want=ADDR] [server=ADDR] [client=ADDR (that it has)] [id=NAME] [othermac] [badoption]
 */
#ifndef CRAFT_H
#define CRAFT_H

#include <stdbool.h>
#include <stdint.h>

struct crafted {
	uint8_t b[70000];
	uint32_t len;
	uint16_t gso_size;
	uint8_t gso, csum;
	uint16_t csum_start, csum_offset;
};

/* => false: the line makes no sense; the test is broken. in_port decides about the MAC addresses. */
bool craft(struct crafted *out, const char *line, int in_port);
/* => "tcp 192.0.2.9:80>203.0.113.7:1000 flags=S ttl=63": what a frame is, by its headers. */
void describe(char *out, unsigned int size, const uint8_t *frame, uint32_t len);
/* => NULL, or which checksum of the frame is wrong. */
const char *bad_checksum(const uint8_t *frame, uint32_t len);
/* An address or a name of the world; family 4 or 6, 0: neither. */
int parse_addr(const char *text, uint8_t out[16]);
void port_mac(int port, uint8_t mac[6]);
extern const uint8_t gateway_mac[6], outside_mac[6];

#endif
