/* SPDX-License-Identifier: BSD-2-Clause */
/* The plainest UDP echo server: what a Linux guest is measured with against the small guest's. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in here = { .sin_family = AF_INET }, peer;
	static char buf[65536];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	here.sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "7"));
	if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0) {
		perror("udpecho");
		return 1;
	}
	for (;;) {
		socklen_t len = sizeof(peer);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&peer, &len);

		if (n >= 0)
			sendto(fd, buf, (size_t)n, 0, (struct sockaddr *)&peer, len);
	}
}
