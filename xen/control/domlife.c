/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's life apart from the configuration: what becomes of one that stops, and the requests to pause, stop or start one. */
#include "internal.h"

#define RESTART_BRAKE_NS SEC	/* a domain that crashes sooner than this after its start is not started again, */
#define RESTART_QUICK_MAX 5	/* nor one that wants to be started anew so soon so many times in a row */

static int dom_restart(struct control *c, struct dom *d, struct control_error *err)
{
	int rc = dom_build(c, d, err);

	if (rc)
		return rc;
	d->restarts++;
	dom_start(c, d);
	return 0;
}

/* A guest that cannot run would be built for ever: a crash at the start is final, reboots are counted. */
static bool too_soon(struct dom *d, enum vc_dom_state how, uint64_t now_ns)
{
	bool soon = now_ns - d->started_ns < RESTART_BRAKE_NS;

	d->quick = soon ? d->quick + 1 : 0;
	return soon && (how == VC_DOM_CRASHED || d->quick > RESTART_QUICK_MAX);
}

void control_dom_exited(struct control *c, uint16_t domid, enum vc_dom_state how, const char *reason, uint64_t now_ns)
{
	struct dom *d = dom_by_id(c, domid);
	const struct vc_dom_create *m;
	struct control_error err;
	unsigned int on;

	c->now_ns = now_ns;
	if (!d || !d->built)
		return;
	m = (const void *)d->obj->body;
	on = how == VC_DOM_CRASHED ? m->on_crash : how == VC_DOM_STOPPED ? m->on_poweroff : m->on_reboot;
	env_log(how == VC_DOM_CRASHED ? ENV_WARN : ENV_INFO, "control: domain %s: %s", d->name, reason);
	if (on == VC_ON_PRESERVE) {
		d->state = how == VC_DOM_CRASHED ? VC_DOM_CRASHED : VC_DOM_STOPPED;
		copy_name(d->reason, sizeof(d->reason), reason);
		note_dom(c, d, false, reason);
		return;
	}
	dom_unbuild(c, d, reason);
	if (how == VC_DOM_CRASHED)
		d->state = VC_DOM_CRASHED;
	if (on != VC_ON_RESTART)
		return;
	if (too_soon(d, how, now_ns)) {
		env_log(ENV_WARN, "control: domain %s ends within a second of its start: it stays down (vfrctl dom start %s)", d->name,
			d->name);
		d->state = VC_DOM_CRASHED;
		return;
	}
	if (dom_restart(c, d, &err))
		env_log(ENV_ERROR, "control: domain %s does not start again: %s", d->name, err.text);
}

static const char *state_name(const struct dom *d)
{
	static const char *const names[VC_DOM_STATES] = {"running", "paused", "stopped", "crashed"};

	return names[d->state];
}

static int op_pause(struct control *c, struct dom *d, bool pause, struct control_error *err)
{
	int rc;

	if (!d->built || d->state != (pause ? VC_DOM_RUNNING : VC_DOM_PAUSED))
		return control_refuse(err, EINVAL, "bad-state", "%s is %s, not %s", d->name, state_name(d), pause ? "running" : "paused");
	rc = pause ? c->p.ops->dom_pause(c->p.machine, d->domid) : c->p.ops->dom_unpause(c->p.machine, d->domid);
	if (rc)
		return control_refuse(err, -rc, "machine", "%s cannot be %s (error %d)", d->name, pause ? "paused" : "resumed", -rc);
	if (!pause && !d->started_utc_ns)
		d->started_utc_ns = c->p.ops->utc_ns(c->p.machine);
	d->state = pause ? VC_DOM_PAUSED : VC_DOM_RUNNING;
	return 0;
}

static int op_shutdown(struct control *c, struct dom *d, bool reboot, struct control_error *err)
{
	int rc;

	if (d->state != VC_DOM_RUNNING)
		return control_refuse(err, EINVAL, "bad-state", "%s is %s, not running", d->name, state_name(d));
	if (!c->p.ops->dom_shutdown)
		return refuse_enosys(err, "asking a guest to shut down");
	rc = c->p.ops->dom_shutdown(c->p.machine, d->domid, reboot);
	return rc ? control_refuse(err, -rc, "machine", "%s cannot be asked (error %d)", d->name, -rc) : 0;
}

int dom_request(struct request *rq)
{
	const struct vc_dom_op *op = rq->body;
	struct control *c = rq->c;
	struct dom *d;
	int rc = check_name(op->name, sizeof(op->name), "domain", false, rq->err);

	if (rc)
		return rc;
	d = dom_by_name(c, op->name);
	if (!d)
		return control_refuse(rq->err, ENOENT, "no-domain", "there is no domain %s", op->name);
	switch (rq->type) {
	case VC_DOM_PAUSE:
		return op_pause(c, d, true, rq->err);
	case VC_DOM_UNPAUSE:
		return op_pause(c, d, false, rq->err);
	case VC_DOM_SHUTDOWN:
		return op_shutdown(c, d, op->arg == 1, rq->err);
	case VC_DOM_STOP:
		dom_unbuild(c, d, "stopped");
		return 0;
	default:
		dom_unbuild(c, d, "rebooted");
		return dom_restart(c, d, rq->err);
	}
}
