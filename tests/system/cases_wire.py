# SPDX-License-Identifier: BSD-2-Clause
"""The wire side: noise from it, and many guests behind it."""
import os
import time

from expect import alive, never
from harness import site, vfr
from harness.machine import deadline

SHARED = {"address": site.BENCH_ADDRESS, "gateway": site.BENCH_GATEWAY}
NOISE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "noise.py")
CROWD = 40


def noisy(workdir):
    domains = {"small": site.small(22080, "22000-22999", echo=22007, **SHARED)}
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains, **SHARED), workdir, net="tap", memory=512, cpus=2)


def serves(m, timeout=30):
    return None if m.wait_http(f"{site.BENCH_ADDRESS}:22080", timeout, "/") else "no answer"


def noise(seed):
    def case(m):
        out = m.run([NOISE, "52:54:00:00:00:07", site.BENCH_ADDRESS, "4", str(seed)])
        sent = int(out or 0)
        return None if sent > 1000 and m.alive() else f"{sent} frames sent"
    return case


def crowd(workdir):
    domains = {f"s{i}": site.small(30000 + 10 * i, f"{30000 + 10 * i}-{30009 + 10 * i}", **SHARED) for i in range(CROWD)}
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains, **SHARED), workdir, net="tap", memory=512, cpus=2)


def all_answer(m):
    waiting = [30000 + 10 * i for i in range(CROWD)]
    end = deadline(30)
    while waiting and time.monotonic() < end:
        waiting = [port for port in waiting if m.http(f"{site.BENCH_ADDRESS}:{port}/", 2) is None]
    return f"{len(waiting)} of {CROWD} do not answer: {waiting[:5]}" if waiting else None


def pings(m):
    out = m.run(["ping", "-c", "5", "-i", "0.05", "-q", site.BENCH_ADDRESS])
    return None if " 0% packet loss" in out else f"ping: {out.strip()[-200:] or 'no answer at all'}"


CALM = [("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive)]

SCENES = [
    ("wire-noise", noisy, [("serves at first", serves), ("the shared address answers ping", pings), ("noise, seed 1", noise(1)),
                           ("serves after it", serves), ("noise, seed 2", noise(2)), ("serves after that", serves), *CALM]),
    ("crowd", crowd, [(f"{CROWD} small guests in 512 MiB all answer", all_answer), *CALM]),
]
