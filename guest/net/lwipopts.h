/* SPDX-License-Identifier: BSD-2-Clause */
/* lwIP without threads, sized for a guest of 4 MiB. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_IPV4 1
#define LWIP_IPV6 0
#define LWIP_ARP 1
#define LWIP_ICMP 1
#define LWIP_UDP 1
#define LWIP_TCP 1
#define LWIP_RAW 0
#define LWIP_DHCP 0
#define LWIP_DNS 0
#define LWIP_STATS 0
#define LWIP_NETIF_API 0
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define MEM_ALIGNMENT 8
#define MEM_SIZE (128 * 1024)
#define MEMP_NUM_TCP_PCB 128
#define MEMP_NUM_TCP_PCB_LISTEN 4
#define MEMP_NUM_TCP_SEG 256
#define MEMP_NUM_UDP_PCB 4
#define MEMP_NUM_PBUF 64
#define PBUF_POOL_SIZE 128
#define PBUF_POOL_BUFSIZE 1600
#define TCP_MSS 1460
#define TCP_WND (32 * TCP_MSS)
#define TCP_SND_BUF (16 * TCP_MSS)
#define TCP_SND_QUEUELEN 64
#define TCP_MSL 2000
#define LWIP_TCP_TIMESTAMPS 0
/* Fragments are put together for the echo of large datagrams. */
#define IP_REASSEMBLY 1
#define IP_REASS_MAX_PBUFS 24
#define IP_FRAG 1
#define LWIP_NOASSERT 1
#endif
