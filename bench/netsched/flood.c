/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flood ADDRESS PACKETS CLASSES: small UDP packets to ADDRESS; prints ns per packet. With CLASSES > 0 the packets go through as many
 * sockets in turn, with the priorities 1:1, 1:2, ..., which classful qdiscs take for class ids; with 0 there are 256 flows.
 * Over veth and dummy devices the whole way is walked in the sender's own time, so this is the path's cost.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define FLOWS 256

static double clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int open_flow(const char *address, unsigned int n, unsigned int priority)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((unsigned short)(2000 + n)) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), room = 8 << 20;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	if (priority)
		setsockopt(fd, SOL_SOCKET, SO_PRIORITY, &priority, sizeof(priority));
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror(address);
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	struct rlimit files = { 70000, 70000 };
	const char payload[18] = "";

	if (argc != 4)
		return 2;
	unsigned long packets = strtoul(argv[2], NULL, 10), sent = 0;
	unsigned int classes = (unsigned int)strtoul(argv[3], NULL, 10), n = classes ? classes : FLOWS;
	setrlimit(RLIMIT_NOFILE, &files);
	int *fd = calloc(n, sizeof(*fd));
	for (unsigned int i = 0; i < n; i++)
		fd[i] = open_flow(argv[1], i, classes ? 0x10000 + i + 1 : 0);
	for (unsigned int i = 0; i < n; i++)
		send(fd[i], payload, sizeof(payload), 0);
	double start = clock_ns();
	for (unsigned long i = 0; i < packets; i++)
		sent += send(fd[i % n], payload, sizeof(payload), 0) > 0;
	double ns = clock_ns() - start;
	if (!sent)
		return 1;
	printf("%.1f\n", ns / (double)sent);
	return 0;
}
