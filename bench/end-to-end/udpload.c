/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load for a UDP echo server: 64-byte datagrams, at most WINDOW unanswered, for SECONDS; prints the answers per second.
 * A window keeps an overrun server at its best rate, where a fixed rate would measure how it drops.
 *
 *	udpload ADDRESS PORT SECONDS WINDOW
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { BATCH = 64, SIZE = 64 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_to(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct timeval wait = { .tv_usec = 20000 };
	int size = 4 << 20, fd = socket(AF_INET, SOCK_DGRAM, 0);

	to.sin_port = htons((uint16_t)atoi(port));
	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	return fd;
}

/* Exchange datagrams until @end; a silence of 20 ms counts everything unanswered as lost. */
static uint64_t exchange(int fd, int window, double end)
{
	static char out[SIZE], in[BATCH][SIZE];
	struct iovec iov_out = { out, SIZE }, iov_in[BATCH];
	struct mmsghdr tx[BATCH] = { 0 }, rx[BATCH] = { 0 };
	uint64_t answered = 0;
	int flying = 0;

	for (int i = 0; i < BATCH; i++) {
		iov_in[i] = (struct iovec){ in[i], SIZE };
		tx[i].msg_hdr = (struct msghdr){ .msg_iov = &iov_out, .msg_iovlen = 1 };
		rx[i].msg_hdr = (struct msghdr){ .msg_iov = &iov_in[i], .msg_iovlen = 1 };
	}
	while (now() < end) {
		int room = window - flying, n;

		if (room > 0) {
			n = sendmmsg(fd, tx, (unsigned)(room < BATCH ? room : BATCH), 0);
			flying += n > 0 ? n : 0;
		}
		n = recvmmsg(fd, rx, BATCH, MSG_WAITFORONE, NULL);
		if (n > 0) {
			answered += (uint64_t)n;
			flying = flying > n ? flying - n : 0;
		} else {
			flying = 0;
		}
	}
	return answered;
}

int main(int argc, char **argv)
{
	double start, seconds;
	uint64_t answered;
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: udpload ADDRESS PORT SECONDS WINDOW\n");
		return 2;
	}
	fd = open_to(argv[1], argv[2]);
	if (fd < 0) {
		perror("udpload");
		return 1;
	}
	seconds = atof(argv[3]);
	start = now();
	answered = exchange(fd, atoi(argv[4]), start + seconds);
	printf("%.0f\n", (double)answered / (now() - start));
	return 0;
}
