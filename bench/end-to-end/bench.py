#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The end-to-end measurements: ours, Xen 4.17 and plain QEMU in one run, interleaved.

The three machines are up at once, each in a network namespace of its own, and all but the one being measured have their
virtual time stopped. A round measures every figure on each; there are BENCH_RUNS rounds (5), or BENCH_PEERS_ONLY=1 to
leave ours out. Raw samples go to build/bench/end-to-end.tsv, the report to standard output.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [f"{TOP}/tests/system", f"{TOP}/bench/peers", HERE]

import figures
import icount
import packetcost
import peers
import report
import starts
from harness import progress

BUILD = f"{TOP}/build"
WORK = f"{BUILD}/bench"
RUNS = int(os.environ.get("BENCH_RUNS", "5"))


def note(text):
    print(f"[{progress.elapsed():6.1f}] {text}", file=sys.stderr, flush=True)


def machines():
    """Name -> a function that makes the machine."""
    made = {"xen": lambda: peers.xen(BUILD, f"{WORK}/xen"), "native": lambda: peers.native(BUILD, f"{WORK}/native")}
    if not os.environ.get("BENCH_PEERS_ONLY"):
        import ours
        made = {"ours": lambda: ours.serving(BUILD, f"{WORK}/ours"), **made}
    return made


def bring_up(made):
    """Start one after the other, so that none competes with another while it boots."""
    up = {}
    for name, make in made.items():
        m = make().start()
        seconds = m.wait_http(f"{figures.SHARED}:8001", 180)
        note(f"{name}: " + (f"serving after {seconds:.1f} s" if seconds else f"does not serve, see {m.serial}"))
        if seconds:
            m.pause()
            up[name] = m
        else:
            m.stop()
    return up


def measure(up, samples):
    for turn in range(RUNS):
        for name, m in up.items():
            m.resume()
            m.http(f"{figures.SHARED}:8001/hello", 5)
            taken = dict(figures.TAKEN)
            if name == "ours":
                import ours
                taken.update(ours.TAKEN)
            for figure, take in taken.items():
                value = take(m, BUILD)
                samples.add(name, figure, value)
                note(f"round {turn + 1}/{RUNS} {name} {figure} {'failed' if value is None else f'{value:.5g}'}")
            m.pause()


def main():
    os.makedirs(WORK, exist_ok=True)
    samples = report.Samples(f"{WORK}/end-to-end.tsv")
    made = machines()
    up = bring_up(made)
    measure(up, samples)
    for m in up.values():
        m.stop()
    if os.path.exists(f"{BUILD}/{icount.GUEST}"):
        icount.xen(BUILD, f"{WORK}/xen-icount", samples, note)
    packetcost.xen(peers.xen(BUILD, f"{WORK}/xen-packet", extra=packetcost.COUNTED), samples, note)
    starts.measure(made, samples, RUNS, note)
    if "ours" in made:
        import ours
        ours.measure_alone(BUILD, WORK, samples, RUNS, note)
    for line in report.lines(samples, figures.GOALS, figures.ALONE):
        print(line, flush=True)
    return 0


sys.exit(main())
