/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * delay ADDRESS DEVICE SECONDS: how long small packets, one about each ms, wait in the device's qdisc beside three floods that always
 * have packets there. The sparse sender's packets have the priority 2:1, which classful qdiscs take for a class, the floods 2:2 to
 * 2:4. A packet carries the time at which it was due; a packet socket sees it when it leaves the qdisc. Prints "ms part" lines: the
 * distribution. quality.c has the same experiment for our own policies.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FLOODS 3
#define SPARSE_PORT 2000
#define SPARSE_BYTES (200 - 14 - 24 - 28) /* 200 on the wire */
#define FULL_BYTES (1500 - 28)
#define ROOM 73728 /* of a flood: about 64 full packets as the kernel counts */
#define MAX_DELAYS 100000

static double delay[MAX_DELAYS];
static unsigned int delays;

/* The wall clock: the kernel's stamps of packets are its, and nobody sets it in the guest where this runs. */
static uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int fail(const char *what)
{
	perror(what);
	exit(1);
}

static int sender(const char *address, unsigned int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(SPARSE_PORT + n)) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), room = ROOM, priority = 0x20001 + (int)n;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority)) ||
	    inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fail(address);
	return fd;
}

static int watcher(const char *device)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(device) };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL)), on = 1, room = 1 << 20;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		fail(device);
	return fd;
}

/* One packet that left: if it is the sparse sender's, how long it took. => false: there was none */
static bool watch(int fd)
{
	uint8_t packet[64] = { 0 };
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct timespec))];
	} control;
	struct iovec v = { packet, sizeof(packet) };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, 0) < 28)
		return false;
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct timespec left;
	uint64_t due;
	if (!c || c->cmsg_type != SCM_TIMESTAMPNS || packet[22] != SPARSE_PORT >> 8 || packet[23] != (SPARSE_PORT & 255))
		return true;
	memcpy(&left, CMSG_DATA(c), sizeof(left));
	memcpy(&due, packet + 28, sizeof(due));
	if (delays < MAX_DELAYS)
		delay[delays++] = (double)((int64_t)left.tv_sec * 1000000000 + left.tv_nsec - (int64_t)due) / 1e6;
	return true;
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	static const char full[FULL_BYTES];
	struct pollfd p[FLOODS + 1];

	if (argc != 4)
		return 2;
	int sparse = sender(argv[1], 0);
	for (unsigned int i = 0; i < FLOODS; i++)
		p[i] = (struct pollfd){ .fd = sender(argv[1], i + 1), .events = POLLOUT };
	p[FLOODS] = (struct pollfd){ .fd = watcher(argv[2]), .events = POLLIN };
	srand(2);
	uint64_t now = clock_ns(), due = now + 100000000, end = now + strtoull(argv[3], NULL, 10) * 1000000000;
	while ((now = clock_ns()) < end) {
		for (unsigned int i = 0; i < FLOODS; i++)
			while (send(p[i].fd, full, sizeof(full), 0) > 0)
				;
		while (watch(p[FLOODS].fd))
			;
		if (now >= due) {
			char packet[SPARSE_BYTES] = { 0 };

			memcpy(packet, &due, sizeof(due));
			send(sparse, packet, sizeof(packet), 0);
			due += 500000 + (uint64_t)rand() % 1000000;
			continue;
		}
		struct timespec wait = { .tv_nsec = (long)(due - now) };
		ppoll(p, FLOODS + 1, &wait, NULL);
	}
	if (!delays)
		return 1;
	qsort(delay, delays, sizeof(*delay), ascending);
	for (unsigned int i = 0; i < delays; i += delays > 200 ? delays / 200 : 1)
		printf("%.4f %.4f\n", delay[i], (double)i / delays);
	return 0;
}
