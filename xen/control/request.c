/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of requests, and the wait. Object messages are not here: object.c. */
#include <audit/audit.h>

#include "internal.h"

unsigned int wait_news(struct control *c, const struct vc_wait_req *w)
{
	struct control_log_entry e;
	struct control_dom_info info;
	unsigned int news = 0;

	if ((w->what & VC_WAIT_LOG) && c->p.ops->log_read(c->p.machine, w->log_seq, &e))
		news |= VC_WAIT_LOG;
	if ((w->what & VC_WAIT_AUDIT) && audit_last_seq(c->p.audit) >= w->audit_seq)
		news |= VC_WAIT_AUDIT;
	if (w->what & VC_WAIT_CONSOLE) {
		const struct dom *d = dom_by_name(c, w->dom);

		/* A domain that is gone is news too: the client's next read says so. */
		if (!d || (d->built && !c->p.ops->dom_info(c->p.machine, d->domid, &info) && info.console_end > w->console_off))
			news |= VC_WAIT_CONSOLE;
	}
	if ((w->what & VC_WAIT_CONFIG) && c->gen[c->cur].number != w->generation)
		news |= VC_WAIT_CONFIG;
	return news;
}

static int wait_request(struct request *rq)
{
	struct control_session *s = rq->s;
	const struct vc_wait_req *w = rq->body;
	int rc = check_name(w->dom, sizeof(w->dom), "domain", true, rq->err);

	if (rc)
		return rc;
	if (w->timeout_ms > 60000)
		return control_refuse(rq->err, ERANGE, "bad-value", "a wait is 60 s at most");
	s->wait.active = true;
	s->wait.seq = s->seq;
	s->wait.req = *w;
	s->wait.deadline_ns = rq->c->now_ns + w->timeout_ms * MSEC;
	rq->later = true;
	session_wait_check(s, rq->c->now_ns);
	return 0;
}

#define R(t, s, tl, f) {.type = VC_##t, .fixed = s, .tail = tl, .name = #t, .fn = f}

static const struct request_kind requests[] = {
	R(INFO, 0, false, see_info),
	R(WAIT, sizeof(struct vc_wait_req), false, wait_request),
	R(TXN_BEGIN, sizeof(struct vc_txn_begin), false, txn_begin),
	R(TXN_COMMIT, sizeof(struct vc_txn_commit), false, txn_commit),
	R(TXN_ABORT, 0, false, txn_abort_request),
	R(CONFIRM, 0, false, txn_confirm),
	R(ROLLBACK, sizeof(struct vc_rollback), false, txn_rollback_request),
	R(HISTORY, sizeof(struct vc_page), false, see_history),
	R(CONFIG_READ, sizeof(struct vc_page), false, see_config),
	R(DOM_LIST, sizeof(struct vc_page), false, see_domains),
	R(DOM_PAUSE, sizeof(struct vc_dom_op), false, dom_request),
	R(DOM_UNPAUSE, sizeof(struct vc_dom_op), false, dom_request),
	R(DOM_REBOOT, sizeof(struct vc_dom_op), false, dom_request),
	R(DOM_SHUTDOWN, sizeof(struct vc_dom_op), false, dom_request),
	R(DOM_STOP, sizeof(struct vc_dom_op), false, dom_request),
	R(CONSOLE_READ, sizeof(struct vc_console_read), false, console_read),
	R(CONSOLE_WRITE, sizeof(struct vc_console_write), true, console_write),
	R(BLOB_BEGIN, sizeof(struct vc_blob_begin), false, blob_begin),
	R(BLOB_PUT, sizeof(struct vc_blob_put), true, blob_put),
	R(BLOB_END, sizeof(struct vc_blob_name), false, blob_end),
	R(BLOB_DEL, sizeof(struct vc_blob_name), false, blob_del),
	R(BLOB_LIST, sizeof(struct vc_page), false, blob_list),
	R(STATS, sizeof(struct vc_page), false, see_stats),
	R(DROPS, sizeof(struct vc_page), false, see_drops),
	R(LOG_READ, sizeof(struct vc_log_read), false, see_log),
	R(AUDIT_READ, sizeof(struct vc_audit_read), false, see_audit),
	R(WHOIS, sizeof(struct vc_whois), false, see_whois),
	R(TRACE, sizeof(struct vc_trace_req), false, see_trace),
	R(UPLINK_LIST, sizeof(struct vc_page), false, see_uplinks),
	R(SCHED_LIST, sizeof(struct vc_page), false, see_scheds),
	R(CLASS_LIST, sizeof(struct vc_page), false, see_classes),
	R(SUB_LIST, sizeof(struct vc_page), false, see_subs),
	R(RULE_LIST, sizeof(struct vc_page), false, see_rules),
	R(CAPTURE_START, sizeof(struct vc_capture_start), true, capture_start),
	R(CAPTURE_READ, sizeof(struct vc_capture_id), false, capture_read),
	R(CAPTURE_STOP, sizeof(struct vc_capture_id), false, capture_stop),
};

const struct request_kind *request_find(uint16_t type)
{
	for (size_t i = 0; i < ENV_ARRAY_SIZE(requests); i++)
		if (requests[i].type == type)
			return &requests[i];
	return NULL;
}
