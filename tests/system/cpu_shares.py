#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Shares of one processor on a running machine: guests that never give it back, with weights of 1:2:7 and one at a cap of a fifth.

What each had is the hypervisor's own account, so a busy host, which stretches everybody's time alike, does not show.
"""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import site, vfr
from harness.progress import Verdicts, say

SPINNERS = {"one": (100, 0), "two": (200, 0), "seven": (700, 0), "capped": (10000, 20)}
BY_WEIGHT = {"one": 0.08, "two": 0.16, "seven": 0.56, "capped": 0.20}
WINDOW = 4
OFF = 0.04


def start(workdir):
    domains = {name: site.tester("build/guest/tests/hostile-spin.elf", cpu=f"{{weight: {weight}" + (f", cap: {cap}" if cap else "") + "}")
               for name, (weight, cap) in SPINNERS.items()}
    path = site.write(f"{workdir}/site.yaml", domains)
    return vfr.boot(path, workdir, memory=256, cpus=1, options="sched=share")


def had(m):
    return {d["name"]: d["cpu_s"] for d in m.json("dom", "ls")}


def window(m):
    before = had(m)
    time.sleep(WINDOW)
    after = had(m)
    ran = {name: after[name] - before[name] for name in SPINNERS}
    return {name: s / sum(ran.values()) for name, s in ran.items()}


def shares(m, expected):
    got = window(m)
    for name, share in expected.items():
        say(f"        {name:<8} {got[name]:.4f} of {share:.4f}")
    wrong = [name for name, share in expected.items() if abs(got[name] - share) > OFF]
    return f"{', '.join(wrong)}: more than {OFF} from the share" if wrong else None


def chosen(m, policy):
    status, out, err = m.ctl("sched", "set", "cpu", policy)
    if status:
        return err or out
    return shares(m, BY_WEIGHT if policy == "share" else {name: 0.25 for name in SPINNERS})


CASES = [
    ("weights of 1:2:7 beside a cap of 20 %", lambda m: shares(m, BY_WEIGHT)),
    ("rr, live: equal turns", lambda m: chosen(m, "rr")),
    ("share again, live", lambda m: chosen(m, "share")),
]


def main():
    workdir = f"{vfr.BUILD}/check/cpu-shares"
    os.makedirs(workdir, exist_ok=True)
    verdicts = Verdicts()
    m = start(workdir)
    if not m.wait_text("hostile-spin", 60):
        m.stop()
        raise RuntimeError("no guest came up; the log ends:\n" + m.text()[-2000:])
    time.sleep(2)
    for title, case in CASES:
        verdicts.add(title, case(m))
    verdicts.add("no panic", "panic" if "panic" in m.text().lower() else None)
    m.stop()
    return verdicts.close()


sys.exit(main())
