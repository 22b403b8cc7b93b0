/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router between tap devices, for tests with real Linux stacks: vfr-tap CONFIG PORT=DEVICE ...
 * CONFIG is vfr-replay's. Says "ready" when all devices are there; the script then moves them into its namespaces. Ends on SIGTERM,
 * with the counters.
 */
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "../../tools/vfr-replay/replay.h"

static int tap[REPLAY_PORTS];
static volatile sig_atomic_t stop;

struct tap_pkt {
	struct vfr_pkt v;
	uint8_t b[2048];
};

static void on_signal(int sig)
{
	stop = 1;
}

static void put(int port, const uint8_t *f, uint32_t len)
{
	/* A device that is down takes nothing; that is the link's affair. */
	if (port < REPLAY_PORTS && tap[port] >= 0 && write(tap[port], f, len) < 0)
		return;
}

static void on_emit(void *host, uint16_t port, const uint8_t *f, uint32_t len)
{
	put(port, f, len);
}

static void on_release(void *host, struct vfr_pkt *p)
{
	if (p->verdict == VFR_FORWARD)
		put(p->out_port, p->head, p->len);
	free(p->priv);
}

static const struct vfr_ops ops = { .emit = on_emit, .release = on_release };

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int open_tap(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r)) {
		perror(name);
		exit(1);
	}
	return fd;
}

static struct tap_pkt *receive(int fd)
{
	struct tap_pkt *t = calloc(1, sizeof(*t));
	ssize_t n = read(fd, t->b, sizeof(t->b));

	if (n <= 0) {
		free(t);
		return NULL;
	}
	t->v.head = t->b;
	t->v.priv = t;
	t->v.len = (uint32_t)n;
	t->v.head_len = (uint16_t)n;
	return t;
}

static void serve(struct vfr *v, int port)
{
	struct vfr_pkt *batch[VFR_BATCH];
	unsigned int n = 0;
	struct tap_pkt *t;

	while (n < VFR_BATCH && (t = receive(tap[port])))
		batch[n++] = &t->v;
	if (!n)
		return;
	vfr_input(v, 0, now_ns(), (uint16_t)port, batch, n);
	for (unsigned int i = 0; i < n; i++) {
		if (!batch[i])
			continue;
		if (batch[i]->verdict == VFR_FORWARD)
			put(batch[i]->out_port, batch[i]->head, batch[i]->len);
		free(batch[i]->priv);
	}
}

static void summary(struct vfr *v)
{
	struct vfr_counters c;

	for (uint32_t d = 0; d < VFR_GLOBAL; d++) {
		if (vfr_counters_read(v, d ? (uint16_t)d : VFR_NODOM, &c))
			continue;
		for (int dir = 0; dir < 2; dir++) {
			printf("domain %u %s: %lu packets", d, dir ? "out" : "in", c.dir[dir].packets);
			for (unsigned int i = 0; i < VFR_DROP_COUNT; i++)
				if (c.dir[dir].drop[i])
					printf(", %s %lu", vfr_drop_name(i), c.dir[dir].drop[i]);
			putchar('\n');
		}
	}
}

int main(int argc, char **argv)
{
	struct vfr_params par = { .cpus = 1, .max_ports = REPLAY_PORTS, .gateway_mac = REPLAY_GATEWAY };
	struct pollfd polls[REPLAY_PORTS];
	int port_of[REPLAY_PORTS], n = 0;
	struct replay r = { 0 };
	uint64_t next = 0;

	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	memset(tap, -1, sizeof(tap));
	r.v = vfr_create(&par, &ops, NULL);
	if (argc < 3 || !r.v || !replay_config(&r, argv[1]))
		return 1;
	for (int i = 2; i < argc && n < REPLAY_PORTS; i++) {
		int port = atoi(argv[i]);
		const char *name = strchr(argv[i], '=');

		if (!name || port < 0 || port >= REPLAY_PORTS)
			return 2;
		tap[port] = open_tap(name + 1);
		port_of[n] = port;
		polls[n++] = (struct pollfd){ .fd = tap[port], .events = POLLIN };
	}
	puts("ready");
	fflush(stdout);
	while (!stop) {
		poll(polls, (nfds_t)n, 100);
		for (int i = 0; i < n; i++)
			if (polls[i].revents)
				serve(r.v, port_of[i]);
		if (now_ns() >= next) {
			vfr_timer(r.v, now_ns());
			next = now_ns() + 100000000u;
		}
	}
	summary(r.v);
	vfr_destroy(r.v);
	return 0;
}
