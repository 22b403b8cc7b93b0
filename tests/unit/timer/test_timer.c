/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers: order, cancelling, and the end of one whose work is under way on another CPU. */
#include <asm/prctl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include <hv/arch.h>
#include <hv/cpu.h>

#include <common/timer.h>

#define TIMERS 64

struct cpu cpus[MAX_CPUS];
uint32_t nr_cpus = 2;

static _Atomic uint64_t now_ns = 1000;
static uint64_t programmed;

uint64_t time_now_ns(void)
{
	return now_ns;
}

void arch_timer_set(uint64_t deadline_ns)
{
	programmed = deadline_ns;
}

static void i_am_cpu(uint32_t cpu)
{
	cpus[cpu].self = &cpus[cpu];
	cpus[cpu].id = cpu;
	syscall(SYS_arch_prctl, ARCH_SET_GS, &cpus[cpu]);
}

/* --- one CPU, beside a list that is looked through --- */

static struct timer timers[TIMERS];
static uint64_t due[TIMERS]; /* 0: not set */
static uint64_t last_deadline;
static unsigned fired;

static void note(struct timer *t)
{
	assert_int_equal(t->deadline_ns, due[t - timers]);
	assert_true(t->deadline_ns <= now_ns && t->deadline_ns >= last_deadline);
	last_deadline = t->deadline_ns;
	due[t - timers] = 0;
	fired++;
}

static uint64_t earliest(void)
{
	uint64_t first = ~0UL;

	for (unsigned i = 0; i < TIMERS; i++)
		if (due[i] && due[i] < first)
			first = due[i];
	return first;
}

static void fires_what_a_plain_list_would(void **state)
{
	for (unsigned i = 0; i < TIMERS; i++)
		timer_init(&timers[i], note);
	srandom(1);
	for (unsigned round = 0; round < 20000; round++) {
		unsigned i = (unsigned)random() % TIMERS;

		if (random() % 4) {
			due[i] = now_ns + 1 + (uint64_t)random() % 500;
			timer_set(&timers[i], due[i]);
		} else {
			due[i] = 0;
			timer_cancel(&timers[i]);
		}
		timer_sync();
		if (earliest() != ~0UL)
			assert_int_equal(programmed, earliest());
		now_ns += (uint64_t)random() % 50;
		last_deadline = 0;
		timer_softirq();
		assert_true(earliest() > now_ns);
	}
	assert_true(fired > 1000);
	for (unsigned i = 0; i < TIMERS; i++)
		timer_end(&timers[i]);
	assert_null(cpus[0].timers);
}

/* --- two CPUs --- */

struct work {
	struct timer timer;
	_Atomic bool begun, done;
	unsigned again; /* how often it sets itself anew */
};

static void slow(struct timer *t)
{
	struct work *w = (struct work *)((char *)t - offsetof(struct work, timer));

	w->begun = true;
	usleep(2000);
	if (w->again) {
		w->again--;
		timer_set(t, now_ns);
	}
	w->done = true;
}

static void *other_cpu(void *arg)
{
	struct work *w = arg;

	i_am_cpu(1);
	timer_set(&w->timer, now_ns);
	timer_softirq();
	return NULL;
}

/* The memory is given back at once, so a fn that is still at work would be seen by ASan. */
static void the_end_waits_for_work_under_way(void **state)
{
	for (unsigned again = 0; again < 3; again++) {
		for (int round = 0; round < 20; round++) {
			struct work *w = calloc(1, sizeof(*w));
			pthread_t thread;

			timer_init(&w->timer, slow);
			w->again = again;
			assert_int_equal(pthread_create(&thread, NULL, other_cpu, w), 0);
			while (!w->begun)
				usleep(10);
			timer_end(&w->timer);
			assert_true(w->done && !w->timer.armed);
			free(w);
			pthread_join(thread, NULL);
			assert_null(cpus[1].timers);
		}
	}
}

static struct timer own;
static unsigned own_fired;

static void ends_itself(struct timer *t)
{
	own_fired++;
	timer_end(t);
}

static void a_timer_may_end_itself(void **state)
{
	timer_init(&own, ends_itself);
	timer_set(&own, now_ns);
	timer_softirq();
	timer_softirq();
	assert_int_equal(own_fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_what_a_plain_list_would),
		cmocka_unit_test(the_end_waits_for_work_under_way),
		cmocka_unit_test(a_timer_may_end_itself),
	};

	i_am_cpu(0);
	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
