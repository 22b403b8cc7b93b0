/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains and their ends, consoles, waits, uploads, boot plans. */
#include "../../../tools/lib/vfrc.h"
#include "fixture.h"

/* --- domains ------------------------------------------------------------------------------------------------------------- */

static const struct vc_dom_rec *dom_record(const char *name)
{
	struct vc_page q = {0};
	const struct vc_page_reply *p;
	const struct vc_dom_rec *r;

	assert_int_equal(CALL(VC_DOM_LIST, q), 0);
	p = (const void *)cl.body;
	r = (const void *)(p + 1);
	for (uint32_t i = 0; i < p->count; i++)
		if (!strcmp(r[i].name, name))
			return &r[i];
	return NULL;
}

/* Two that run are built anew for a change that is then refused: they run again. */
static void a_change_taken_back_leaves_the_others_running(void **state)
{
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {0};
	struct vc_dom_create d[2] = {m_dom("web1"), m_dom("web2")};

	add_base();
	for (int nth = 0; nth < 3; nth++) {
		struct vc_dom_create more = m_dom("web3");

		w.sim->fail_create = nth;
		assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
		for (int i = 0; i < 2; i++) {
			d[i].mem_bytes += 4096;
			assert_int_equal(CALL(VC_DOM_CREATE, d[i]), 0);
		}
		assert_int_equal(CALL(VC_DOM_CREATE, more), 0);
		assert_refused(CALL(VC_TXN_COMMIT, m), EIO, "simulated", "");
		w.sim->fail_create = -1;
		assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
		assert_int_equal(dom_record("web2")->state, VC_DOM_RUNNING);
	}
}

static void change_memory(const char *name)
{
	struct vc_dom_create d = m_dom(name);

	d.mem_bytes = dom_record(name)->mem_bytes + 4096;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
}

/* A change for it and one behind it that is refused: the first is undone. `built` domains are made before that. */
static void change_undone(const char *name, int built)
{
	struct vc_txn_begin b = {0};
	struct vc_txn_commit m = {0};
	struct vc_dom_create more = m_dom("web3");

	assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
	change_memory(name);
	assert_int_equal(CALL(VC_DOM_CREATE, more), 0);
	w.sim->fail_create = built;
	assert_refused(CALL(VC_TXN_COMMIT, m), EIO, "simulated", "");
	w.sim->fail_create = -1;
}

static void a_change_starts_nobody_who_was_stopped_or_paused(void **state)
{
	struct vc_dom_op op = {.name = "web1"};
	struct vc_rollback back = {0};

	add_base();
	assert_int_equal(CALL(VC_DOM_STOP, op), 0);
	change_undone("web1", 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_STOPPED);
	change_memory("web1");
	assert_int_equal(dom_record("web1")->state, VC_DOM_STOPPED);
	assert_int_equal(CALL(VC_ROLLBACK, back), 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_STOPPED);
	assert_string_equal(dom_record("web1")->reason, "stopped");
	assert_int_equal(CALL(VC_DOM_REBOOT, op), 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);

	assert_int_equal(CALL(VC_DOM_PAUSE, op), 0);
	change_memory("web1");
	assert_int_equal(dom_record("web1")->state, VC_DOM_PAUSED);
	change_undone("web1", 1);
	assert_int_equal(dom_record("web1")->state, VC_DOM_PAUSED);
	assert_int_equal(CALL(VC_DOM_UNPAUSE, op), 0);
	change_undone("web1", 1);
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
}

/* A change may be the cure of one that crashed; one that is undone was none. */
static void a_change_starts_who_crashed(void **state)
{
	add_base();
	control_dom_exited(w.c, dom_record("web1")->domid, VC_DOM_CRASHED, "triple fault", w.now);
	assert_int_equal(dom_record("web1")->state, VC_DOM_CRASHED);
	change_undone("web1", 1);
	assert_int_equal(dom_record("web1")->state, VC_DOM_CRASHED);
	change_memory("web1");
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
}

/* What cannot fit is refused while the guests still run, in a trial too; what they give back counts. */
static void memory_is_reckoned_before_anybody_is_stopped(void **state)
{
	struct vc_dom_create d = m_dom("web1");

	add_base();
	w.sim->mem_free = 8ull << 20;
	d.mem_bytes += 8ull << 20;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	assert_int_equal(w.sim->mem_free, 0);
	w.sim->fail_create = 0;	/* who tries to build is refused for this */
	for (unsigned int flags = 0; flags < 2; flags++) {
		struct vc_txn_begin b = {0};
		struct vc_txn_commit m = {.flags = flags ? VC_COMMIT_DRY : 0};

		d.mem_bytes += 4096;
		assert_int_equal(CALL(VC_TXN_BEGIN, b), 0);
		assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
		assert_refused(CALL(VC_TXN_COMMIT, m), ENOMEM, "no-memory", "");
		assert_int_equal(w.sim->fail_create, 0);
		assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	}
}

static void a_domain_that_stops_does_as_on_says(void **state)
{
	struct vc_dom_create d = m_dom("web1");
	const struct vc_dom_rec *r;

	d.on_reboot = VC_ON_RESTART;
	d.on_crash = VC_ON_PRESERVE;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	control_dom_exited(w.c, 1, VC_DOM_RUNNING, "reboot", w.now);
	r = dom_record("web1");
	assert_int_equal(r->state, VC_DOM_RUNNING);
	assert_int_equal(r->restarts, 1);
	control_dom_exited(w.c, 1, VC_DOM_CRASHED, "triple fault", w.now);
	r = dom_record("web1");
	assert_int_equal(r->state, VC_DOM_CRASHED);
	assert_string_equal(r->reason, "triple fault");
	assert_true(w.sim->dom[1].used);
	d.on_crash = VC_ON_RESTART;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
}

static void a_crash_loop_has_a_brake(void **state)
{
	struct vc_dom_create d = m_dom("web1");

	d.on_crash = VC_ON_RESTART;
	assert_int_equal(CALL(VC_DOM_CREATE, d), 0);
	w.now += 5 * SEC;
	control_dom_exited(w.c, 1, VC_DOM_CRASHED, "triple fault", w.now);
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	w.now += SEC / 2;
	control_dom_exited(w.c, 1, VC_DOM_CRASHED, "triple fault", w.now);
	assert_int_equal(dom_record("web1")->state, VC_DOM_CRASHED);
	assert_int_equal(dom_record("web1")->restarts, 1);
}

static void a_domain_keeps_number_and_slices_over_a_reboot(void **state)
{
	struct vc_dom_op op = {.name = "web1"};
	uint16_t id;

	add_base();
	id = owner(20000);
	assert_int_equal(CALL(VC_DOM_STOP, op), 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_STOPPED);
	assert_int_equal(owner(20000), id);
	assert_int_equal(CALL(VC_DOM_REBOOT, op), 0);
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	assert_int_equal(dom_record("web1")->domid, id);
	assert_int_equal(CALL(VC_DOM_PAUSE, op), 0);
	assert_refused(CALL(VC_DOM_PAUSE, op), EINVAL, "bad-state", "");
}

static struct vc_sub_set m_sub(const char *dom, unsigned int index, unsigned int weight, uint64_t dscps)
{
	struct vc_sub_set s = {.index = index, .weight = weight, .dscps = dscps};

	strncpy(s.dom, dom, sizeof(s.dom) - 1);
	return s;
}

static void destroying_a_domain_takes_all_that_names_it(void **state)
{
	struct vc_dom_create d = m_dom("web1");
	struct vc_rate_set r = m_rate("web1", 1000000);
	struct vc_sub_set s = m_sub("web1", 1, 9, 1ull << 46);

	add_base();
	assert_int_equal(CALL(VC_RATE_SET, r), 0);
	assert_int_equal(CALL(VC_SUB_SET, s), 0);
	assert_int_equal(CALL(VC_DOM_CREATE | VC_DEL, d), 0);
	assert_refused(CALL(VC_SUB_SET | VC_DEL, s), ENOENT, "no-such-object", "");
	assert_null(dom_record("web1"));
	assert_int_equal(owner(20000), VFR_NODOM);
	assert_refused(CALL(VC_DOM_CREATE | VC_DEL, d), ENOENT, "no-such-object", "");
	assert_false(w.sim->dom[1].used);
}

static const struct vc_sub_set *sub_of(const char *dom, unsigned int index)
{
	return &w.sim->dom[dom_record(dom)->domid].sub[index];
}

/* Also what the machine had set before it refused the rest. */
static void refused_rates_leave_those_in_force(void **state)
{
	struct vc_rate_set r = m_rate("web1", 1000000), more = m_rate("web1", 5000000);
	const struct vc_rate_set *rate;

	add_base();
	more.in_guarantee_bps = 20000000000;
	rate = &w.sim->dom[dom_record("web1")->domid].rate;
	assert_refused(CALL(VC_RATE_SET, more), EDQUOT, "over-committed", "");
	assert_int_equal(rate->out_bps, 0);
	assert_int_equal(CALL(VC_RATE_SET, r), 0);
	assert_refused(CALL(VC_RATE_SET, more), EDQUOT, "over-committed", "");
	assert_int_equal(rate->out_bps, 1000000);
	assert_int_equal(rate->in_guarantee_bps, 0);
}

static void sub_classes_make_sense_or_are_refused(void **state)
{
	struct vc_sub_set voice = m_sub("web1", 1, 9, 1ull << 46), bulk = m_sub("web1", 2, 1, 1ull << 8), bad;

	add_base();
	assert_int_equal(CALL(VC_SUB_SET, voice), 0);
	assert_int_equal(CALL(VC_SUB_SET, bulk), 0);
	bad = m_sub("nobody", 1, 1, 0);
	assert_refused(CALL(VC_SUB_SET, bad), ENOENT, "no-domain", "");
	bad = m_sub("web1", 8, 1, 0);
	assert_refused(CALL(VC_SUB_SET, bad), EINVAL, "bad-value", "");
	bad = m_sub("web1", 1, 0, 0);
	assert_refused(CALL(VC_SUB_SET, bad), EINVAL, "bad-value", "");
	bad = m_sub("web1", 0, 1, 2);
	assert_refused(CALL(VC_SUB_SET, bad), EINVAL, "bad-value", "");
	bad = m_sub("web1", 3, 1, 3ull << 45);
	assert_refused(CALL(VC_SUB_SET, bad), EEXIST, "dscp-taken", "");
	assert_int_equal(sub_of("web1", 1)->weight, 9);
	assert_int_equal(sub_of("web1", 2)->weight, 1);
	assert_int_equal(sub_of("web1", 3)->weight, 0);
	assert_int_equal(CALL(VC_SUB_SET | VC_DEL, voice), 0);
	assert_int_equal(sub_of("web1", 1)->weight, 0);
	assert_refused(CALL(VC_SUB_SET | VC_DEL, voice), ENOENT, "no-such-object", "");
	bad = m_sub("web1", 3, 1, 3ull << 45);
	assert_int_equal(CALL(VC_SUB_SET, bad), 0);
}

/* The machine forgets them with the domain, and may with its rates; a rollback takes them back. */
static void sub_classes_stay_with_their_domain(void **state)
{
	struct vc_sub_set voice = m_sub("web1", 1, 9, 1ull << 46), more = m_sub("web1", 1, 20, 0);
	struct vc_rate_set r = m_rate("web1", 1000000);
	struct vc_dom_op op = {.name = "web1"};
	struct vc_rollback back = {0};
	struct vc_page q = {0};
	const struct vc_page_reply *p;
	const struct vc_sub_rec *rec;

	add_base();
	assert_int_equal(CALL(VC_SUB_SET, voice), 0);
	assert_int_equal(CALL(VC_DOM_STOP, op), 0);
	assert_int_equal(CALL(VC_SUB_SET, more), 0);
	memset(w.sim->dom[1].sub, 0, sizeof(w.sim->dom[1].sub));
	assert_int_equal(CALL(VC_DOM_REBOOT, op), 0);
	assert_int_equal(sub_of("web1", 1)->weight, 20);
	assert_int_equal(CALL(VC_ROLLBACK, back), 0);
	assert_int_equal(sub_of("web1", 1)->weight, 9);
	memset(w.sim->dom[1].sub, 0, sizeof(w.sim->dom[1].sub));
	assert_int_equal(CALL(VC_RATE_SET, r), 0);
	assert_int_equal(sub_of("web1", 1)->weight, 9);

	assert_int_equal(CALL(VC_SUB_LIST, q), 0);
	p = (const void *)cl.body;
	rec = (const void *)(p + 1);
	assert_int_equal(p->count, 1);
	assert_string_equal(rec->dom, "web1");
	assert_int_equal(rec->index, 1);
	assert_true(rec->dscps == 1ull << 46);
}

static void console_is_read_from_an_offset_and_written(void **state)
{
	struct {
		struct vc_console_write h;
		char bytes[4];
	} wr = {{"web1"}, "ping"};
	struct vc_console_read rd = {.name = "web1"};
	const struct vc_console_read_reply *r;

	add_base();
	assert_int_equal(CALL(VC_CONSOLE_READ, rd), 0);
	r = (const void *)cl.body;
	rd.offset = r->end;
	assert_int_equal(CALL(VC_CONSOLE_WRITE, wr), 0);
	assert_int_equal(CALL(VC_CONSOLE_READ, rd), 0);
	assert_int_equal(cl.n, sizeof(*r) + 10);
	assert_memory_equal(cl.body + sizeof(*r), "pingpong\r\n", 10);
}

static void a_wait_ends_with_news_with_time_or_silently(void **state)
{
	struct vc_wait_req q = {.what = VC_WAIT_CONSOLE, .timeout_ms = 1000, .dom = "web1"};
	struct vc_console_read rd = {.name = "web1"};
	uint8_t stream[512];

	add_base();
	assert_int_equal(CALL(VC_CONSOLE_READ, rd), 0);
	q.console_off = ((const struct vc_console_read_reply *)cl.body)->end;
	control_input(cl.s, stream, client_encode(&cl, VC_WAIT, &q, sizeof(q), stream), w.now);
	assert_false(client_reply(&cl));
	sim_console(w.sim, 1, "x", 1);
	assert_true(client_reply(&cl));
	assert_int_equal(((const struct vc_wait_reply *)cl.body)->news, VC_WAIT_CONSOLE);
	q.console_off++;
	control_input(cl.s, stream, client_encode(&cl, VC_WAIT, &q, sizeof(q), stream), w.now);
	w.now += 2 * SEC;
	control_timer(w.c, w.now);
	assert_true(client_reply(&cl));
	assert_int_equal(((const struct vc_wait_reply *)cl.body)->news, 0);
	control_input(cl.s, stream, client_encode(&cl, VC_WAIT, &q, sizeof(q), stream), w.now);
	assert_int_equal(client_call(&cl, &w, VC_INFO, NULL, 0), 0);
	sim_console(w.sim, 1, "x", 1);
	assert_false(client_reply(&cl));
}

/* --- uploads ------------------------------------------------------------------------------------------------------------- */

static void an_upload_comes_in_order_or_not_at_all(void **state)
{
	struct vc_blob_begin b = {.name = "k", .size = 10};
	struct {
		struct vc_blob_put h;
		char bytes[5];
	} put = {{.name = "k"}, "01234"};
	struct vc_blob_name e = {"k"};

	w.sim->any_module = false;
	assert_refused(CALL(VC_BLOB_PUT, put), EINVAL, "no-upload", "");
	assert_int_equal(CALL(VC_BLOB_BEGIN, b), 0);
	assert_int_equal(CALL(VC_BLOB_PUT, put), 0);
	assert_refused(CALL(VC_BLOB_PUT, put), EINVAL, "bad-offset", "");
	assert_refused(CALL(VC_BLOB_END, e), EINVAL, "not-complete", "");
	put.h.offset = 5;
	assert_int_equal(CALL(VC_BLOB_PUT, put), 0);
	assert_int_equal(CALL(VC_BLOB_END, e), 0);
	assert_refused(CALL(VC_BLOB_BEGIN, b), EEXIST, "module-exists", "");
	assert_int_equal(CALL(VC_BLOB_DEL, e), 0);
	assert_int_equal(CALL(VC_BLOB_BEGIN, b), 0);
	control_session_close(cl.s, w.now);
	for (unsigned int i = 0; i < SIM_BLOBS; i++)
		assert_false(w.sim->blob[i].used);
}

/* --- boot plan ----------------------------------------------------------------------------------------------------------- */

struct plan {
	struct vc_plan head;
	uint8_t body[4096];
};

static void plan_add(struct plan *p, uint16_t type, const void *body, size_t n)
{
	p->head.length += vfrc_message((uint8_t *)p + p->head.length, type, p->head.messages++, 0, body, n);
}

static void plan_start(struct plan *p)
{
	struct vc_addr_add a = m_addr(A1);
	struct vc_dom_create d1 = m_dom("web1"), d2 = m_dom("web2");
	struct vc_slice_add s1 = m_slice(A1, "web1", 20000, 20999), s2 = m_slice(A1, "web2", 20500, 20600);

	memset(p, 0, sizeof(*p));
	p->head = (struct vc_plan){.magic = VC_PLAN_MAGIC, .version = VC_VERSION, .length = sizeof(p->head)};
	plan_add(p, VC_ADDR_ADD, &a, sizeof(a));
	plan_add(p, VC_DOM_CREATE, &d1, sizeof(d1));
	plan_add(p, VC_DOM_CREATE, &d2, sizeof(d2));
	plan_add(p, VC_SLICE_ADD, &s1, sizeof(s1));
	plan_add(p, VC_SLICE_ADD, &s2, sizeof(s2));
}

static void a_plan_skips_what_is_refused_and_goes_on(void **state)
{
	struct vc_slice_add s = m_slice(A1, "web2", 30000, 30000), lost = m_slice(A1, "nobody", 30001, 30001);
	struct plan p;

	plan_start(&p);
	plan_add(&p, VC_SLICE_ADD, &lost, sizeof(lost));
	plan_add(&p, VC_INFO, NULL, 0);
	plan_add(&p, VC_SLICE_ADD, &s, 10);
	plan_add(&p, VC_SLICE_ADD, &s, sizeof(s));
	plan_add(&p, VC_SLICE_ADD, &s, sizeof(s));
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), 5);
	assert_int_equal(owner(20500), owner(20000));
	assert_int_equal(dom_record("web1")->state, VC_DOM_RUNNING);
	assert_int_equal(dom_record("web2")->state, VC_DOM_RUNNING);
	assert_int_equal(owner(30000), dom_record("web2")->domid);
	assert_int_equal(generation(), 1);
}

static void a_plan_cut_anywhere_keeps_what_is_whole(void **state)
{
	struct plan p;

	plan_start(&p);
	for (uint32_t n = 0; n < p.head.length; n += 3) {
		struct plan cut = p;
		int rc;

		cut.head.length = n;
		rc = control_boot_plan(w.c, &cut, n, w.now);
		assert_true(n < sizeof(cut.head) ? rc < 0 : rc > 0);
		close_world(NULL);
		assert_int_equal(open_world(NULL), 0);
	}
	p.head.magic++;
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), -EBADMSG);
	p.head.magic--;
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length - 1, w.now), -EMSGSIZE);
	p.head.version++;
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), -EPROTONOSUPPORT);
}

static void configuration_and_plan_are_the_same_bytes(void **state)
{
	static uint8_t a[65536], b[65536];
	struct plan p = {.head = {.magic = VC_PLAN_MAGIC, .version = VC_VERSION, .length = sizeof(p.head)}};
	size_t n, at = 0;

	add_base();
	n = read_config(a);
	while (at < n) {
		struct vc_object o;

		memcpy(&o, a + at, sizeof(o));
		plan_add(&p, o.type, a + at + sizeof(o), o.length);
		at += sizeof(o) + o.length;
	}
	close_world(NULL);
	assert_int_equal(open_world(NULL), 0);
	assert_int_equal(control_boot_plan(w.c, &p, p.head.length, w.now), 0);
	assert_int_equal(read_config(b), n);
	assert_memory_equal(a, b, n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_domain_that_stops_does_as_on_says), T(a_change_taken_back_leaves_the_others_running),
		T(a_change_starts_nobody_who_was_stopped_or_paused), T(a_change_starts_who_crashed),
		T(memory_is_reckoned_before_anybody_is_stopped), T(a_crash_loop_has_a_brake),
		T(a_domain_keeps_number_and_slices_over_a_reboot),
		T(destroying_a_domain_takes_all_that_names_it),
		T(refused_rates_leave_those_in_force), T(sub_classes_make_sense_or_are_refused),
		T(sub_classes_stay_with_their_domain), T(console_is_read_from_an_offset_and_written),
		T(a_wait_ends_with_news_with_time_or_silently), T(an_upload_comes_in_order_or_not_at_all),
		T(a_plan_skips_what_is_refused_and_goes_on), T(a_plan_cut_anywhere_keeps_what_is_whole),
		T(configuration_and_plan_are_the_same_bytes),
	};

	env_host_log_level(-1);
	return cmocka_run_group_tests_name("control: domains and boot plans", tests, NULL, NULL);
}
