# SPDX-License-Identifier: BSD-2-Clause
"""Domains stopped at random instants while they are under load: all they held comes back, and a neighbour serves on."""
import os
import random
import time

from cases_hostile import Poll
from expect import alive, never
from harness import site, vfr

KEPT, CHURNED = 22080, 23080
ROUNDS = int(os.environ.get("VFR_KILLS", "40"))
SLACK = (4 + ROUNDS // 30) * 4096  # tables that grow by a page now and then, at most one in 30 rounds


def start(workdir):
    domains = {"server": site.small(KEPT, "22000-22999"), "victim": site.small(CHURNED, "23000-23999")}
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains), workdir, net="user", memory=256, cpus=2,
                    forwards=[(0, f"10.0.2.15:{KEPT}"), (0, f"10.0.2.15:{CHURNED}")])


def free_memory(m):
    return (m.json("info") or {}).get("memory_free_bytes")


def churn(m):
    """The victim is stopped between 0 and 150 ms after its start: in the middle of its boot, of its rings' set-up, of answers."""
    rng = random.Random(7)
    if m.wait_http(m.at(CHURNED), 30, "/") is None:
        return "the victim never served"
    m.ctl("dom", "stop", "victim")
    before = free_memory(m)
    beside, load = Poll(m), Poll(m, CHURNED, patience=1)
    beside.start()
    load.start()
    for _ in range(ROUNDS):
        status, out, err = m.ctl("dom", "start", "victim")
        if status == 0:
            time.sleep(rng.random() * 0.15)
            status, out, err = m.ctl("dom", "stop", "victim")
        if status != 0:
            break
    beside.finish()
    load.finish()
    if status != 0:
        return (out + err).strip()
    after = free_memory(m)
    if beside.lost:
        return f"the neighbour lost {beside.lost} of {beside.answered + beside.lost} requests, {beside.why}"
    return None if before - after <= SLACK else f"{before - after} bytes of memory are gone after {ROUNDS} rounds"


def starts_once_more(m):
    m.ctl("dom", "start", "victim")
    return None if m.wait_http(m.at(CHURNED), 20, "/") else "no answer"


SCENES = [("churn", start, [(f"{ROUNDS} stops at random instants give everything back", churn), ("the victim starts once more", starts_once_more),
                            ("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive)])]
