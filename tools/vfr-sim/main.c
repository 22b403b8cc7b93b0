/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vfr-sim: the control port of a machine that is not there, on a unix socket. vfrctl cannot tell it from the hypervisor under
 * QEMU: it serves one client at a time, as QEMU does, the next one waits in the socket's queue. With --clients N it serves more at once.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sim.h"

#define CLIENTS_MAX 8

struct client {
	int fd;
	struct control_session *s;
	size_t len;
	uint8_t buf[65536];
};

static volatile sig_atomic_t stop, crash, packets;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		crash = 1;
	else if (sig == SIGUSR2)
		packets = 1;
	else
		stop = 1;
}

static int listen_at(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(sa.sun_path))
		return -1;
	strcpy(sa.sun_path, path);
	unlink(path);
	if (fd < 0 || bind(fd, (void *)&sa, sizeof(sa)) || listen(fd, 8))
		return -1;
	return fd;
}

/* false: the client is gone. */
static bool client_read(struct client *c)
{
	ssize_t n = recv(c->fd, c->buf + c->len, sizeof(c->buf) - c->len, MSG_DONTWAIT);
	size_t taken;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return false;
	if (n > 0)
		c->len += n;
	taken = control_input(c->s, c->buf, c->len, sim_now());
	c->len -= taken;
	memmove(c->buf, c->buf + taken, c->len);
	return true;
}

static void client_end(struct client *c)
{
	control_session_close(c->s, sim_now());
	close(c->fd);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static void accept_client(struct sim *s, struct client *v, unsigned int n, int listener)
{
	for (unsigned int i = 0; i < n; i++) {
		if (v[i].fd >= 0)
			continue;
		v[i].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		v[i].len = 0;
		if (v[i].fd >= 0)
			v[i].s = control_session_open(s->control, &v[i].fd);
		return;
	}
}

static bool full(const struct client *v, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (v[i].fd < 0)
			return false;
	return true;
}

/* SIGUSR1: the domain with the lowest number crashes. */
static void crash_first(struct sim *s)
{
	for (unsigned int i = 1; i < SIM_DOMAINS; i++) {
		if (!s->dom[i].running)
			continue;
		sim_log(s, ENV_WARN, "domain %s: triple fault", s->dom[i].name);
		control_dom_exited(s->control, i, VC_DOM_CRASHED, "triple fault", sim_now());
		return;
	}
}

static int wait_ms(uint64_t next)
{
	uint64_t now = sim_now();

	if (next <= now)
		return 0;
	return next - now > 1000000000ull ? 1000 : (next - now) / 1000000 + 1;
}

static void serve(struct sim *s, int listener, unsigned int clients)
{
	static struct client v[CLIENTS_MAX];

	for (unsigned int i = 0; i < CLIENTS_MAX; i++)
		v[i].fd = -1;
	while (!stop) {
		struct pollfd p[CLIENTS_MAX + 1] = {{.fd = full(v, clients) ? -1 : listener, .events = POLLIN}};
		uint64_t next = control_timer(s->control, sim_now());

		for (unsigned int i = 0; i < clients; i++) {
			bool all = v[i].fd < 0 || control_output(v[i].s, sim_now());

			p[i + 1].fd = v[i].fd;
			p[i + 1].events = all ? POLLIN : POLLOUT;
			/* Bytes that were not taken while a reply was on its way. */
			if (v[i].fd >= 0 && all && v[i].len)
				next = 0;
		}
		poll(p, clients + 1, wait_ms(next));
		if (crash) {
			crash = 0;
			crash_first(s);
		}
		/* SIGUSR2: ten packets from outside, half of them for ports that nobody owns. */
		for (unsigned int i = 0; packets && i < 10; i++)
			sim_packet(s, 0x0a00020f, i % 2 ? 20080 : 40000 + i);
		packets = 0;
		if (p[0].revents)
			accept_client(s, v, clients, listener);
		for (unsigned int i = 0; i < clients; i++)
			if (v[i].fd >= 0 && (p[i + 1].revents || v[i].len) && !client_read(&v[i]))
				client_end(&v[i]);
	}
	for (unsigned int i = 0; i < clients; i++)
		if (v[i].fd >= 0)
			client_end(&v[i]);
}

/* What the boot loader would have loaded: the files beside the plan. */
static void boot_modules(struct sim *s, const char *plan)
{
	const char *slash = strrchr(plan, '/');
	char dir[4096], path[8192];
	struct dirent *e;
	struct stat st;
	DIR *d;

	snprintf(dir, sizeof(dir), "%.*s", slash ? (int)(slash - plan) : 1, slash ? plan : ".");
	d = opendir(dir);
	for (unsigned int i = 0; d && i < SIM_BLOBS && (e = readdir(d));) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (strlen(e->d_name) >= VC_MODULE || stat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		s->blob[i] = (struct sim_blob){.size = st.st_size, .used = true, .boot = true, .complete = true};
		strcpy(s->blob[i++].name, e->d_name);
	}
	if (d)
		closedir(d);
}

static int load_plan(struct sim *s, const char *path)
{
	FILE *f = fopen(path, "rb");
	static uint8_t bytes[VC_PLAN_MAX];
	size_t n;
	int rc;

	if (!f) {
		fprintf(stderr, "vfr-sim: %s: %m\n", path);
		return -1;
	}
	boot_modules(s, path);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	rc = control_boot_plan(s->control, bytes, n, sim_now());
	if (rc)
		fprintf(stderr, "vfr-sim: boot plan: %d\n", rc);
	return rc < 0 ? rc : 0;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: vfr-sim -s SOCKET [-p BOOT.PLAN] [--clients N] [--hold-down S] [--any-module] [--fail-create N] [--packets N]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option opts[] = {
		{"clients", 1, NULL, 'c'}, {"hold-down", 1, NULL, 'h'}, {"any-module", 0, NULL, 'a'}, {"fail-create", 1, NULL, 'f'},
		{"packets", 1, NULL, 'n'}, {NULL, 0, NULL, 0},
	};
	static struct sim s;
	const char *path = NULL, *plan = NULL;
	unsigned int clients = 1, hold = 120, count = 0;
	int c, listener, fail = -1;

	while ((c = getopt_long(argc, argv, "s:p:", opts, NULL)) != -1) {
		switch (c) {
		case 's': path = optarg; break;
		case 'p': plan = optarg; break;
		case 'c': clients = atoi(optarg); break;
		case 'h': hold = atoi(optarg); break;
		case 'a': s.any_module = true; break;
		case 'f': fail = atoi(optarg); break;
		case 'n': count = atoi(optarg); break;
		default: usage();
		}
	}
	if (!path || clients < 1 || clients > CLIENTS_MAX)
		usage();
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	if (sim_init(&s, hold, &sim_ops))
		return fprintf(stderr, "vfr-sim: no memory\n"), 1;
	sim_log(&s, ENV_INFO, "simulator up");
	if (plan && load_plan(&s, plan))
		return 1;
	s.fail_create = fail;
	for (unsigned int i = 0; i < count; i++)
		sim_packet(&s, 0x0a00020f, 20000 + i % 5000);
	listener = listen_at(path);
	if (listener < 0)
		return fprintf(stderr, "vfr-sim: %s: %m\n", path), 1;
	serve(&s, listener, clients);
	unlink(path);
	sim_free(&s);
	return 0;
}
