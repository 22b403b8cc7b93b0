/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small UDP packets over so many flows, as fast as one core takes them through everything behind the socket.
 *
 *	nat-flood ADDRESS FLOWS SPELLS	prints "NS SENT": the least ns a packet of any spell, and how many packets were sent in all
 *
 * A spell is SPELL packets, the flows in turn. In a network namespace the kernel delivers on the sender's core before the call
 * returns, so wall time is the whole way's; a real-time priority keeps others from that core, with a rest after some spells.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define FIRST_PORT 2048
#define SPELL 4096u
#define REST_AFTER 16

static struct mmsghdr msg[BATCH];
static struct iovec piece;
static struct sockaddr_in to[BATCH];
static char payload[18];	/* 64 bytes on a wire */
static unsigned int flow;

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void prepare(const char *address)
{
	piece = (struct iovec){ .iov_base = payload, .iov_len = sizeof(payload) };
	for (unsigned int i = 0; i < BATCH; i++) {
		to[i].sin_family = AF_INET;
		inet_pton(AF_INET, address, &to[i].sin_addr);
		msg[i].msg_hdr = (struct msghdr){ .msg_iov = &piece, .msg_iovlen = 1, .msg_name = &to[i], .msg_namelen = sizeof(to[i]) };
	}
}

/* => how many went out. */
static unsigned int spell(int s, unsigned int flows, unsigned int packets)
{
	unsigned int sent = 0;

	for (unsigned int k = 0; k < packets; k += BATCH) {
		for (unsigned int i = 0; i < BATCH; i++) {
			to[i].sin_port = htons((uint16_t)(FIRST_PORT + flow));
			flow = flow + 1 < flows ? flow + 1 : 0;
		}
		int n = sendmmsg(s, msg, BATCH, 0);
		if (n > 0)
			sent += (unsigned int)n;
	}
	return sent;
}

int main(int argc, char **argv)
{
	struct sched_param sp = { .sched_priority = 1 };
	double best = 0;

	if (argc != 4)
		return 2;
	unsigned int flows = (unsigned int)atoi(argv[2]), spells = (unsigned int)atoi(argv[3]);
	int s = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;

	if (s < 0 || !flows || flows > 65536 - FIRST_PORT)
		return 2;
	setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	prepare(argv[1]);
	unsigned long all = spell(s, flows, flows + BATCH);	/* makes the flows, and finds the neighbours */
	sched_setscheduler(0, SCHED_FIFO, &sp);
	for (unsigned int i = 0; i < spells; i++) {
		double t = now_ns();
		unsigned int sent = spell(s, flows, SPELL);

		t = now_ns() - t;
		all += sent;
		if (sent == SPELL && (!best || t / SPELL < best))
			best = t / SPELL;
		if (i % REST_AFTER == REST_AFTER - 1)
			usleep(20000);
	}
	printf("%.1f %lu\n", best, all);
	return 0;
}
