#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""Where the emulated CPU spends its time while a load runs: samples of the instruction pointer through QEMU's monitor.

    profile.py FIGURE [SAMPLES] [PRESS]    FIGURE as in figures.TAKEN or ours.TAKEN, e.g. udp64_in_pps

Prints the share of each function of the hypervisor and of the Debian guest's kernel, which tells its addresses itself.
"""
import bisect
import collections
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [f"{TOP}/tests/system", f"{TOP}/bench/peers", HERE]

import figures
import ours
from harness import vfr

BUILD = f"{TOP}/build"


def rows(lines, prefix=""):
    words = (line.split() for line in lines)
    return [(int(w[0], 16), prefix + w[2]) for w in words if len(w) >= 3 and w[1] in "tT"]


def symbols(m):
    """Sorted (address, name) of the functions of hypervisor and Debian kernel."""
    table = rows(subprocess.run(["nm", "-n", vfr.ELF], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines())
    table.append((table[-1][0] + 4096, None))
    told = m.http(f"{figures.SHARED}:8001/cgi-bin/kallsyms", 20) or ""
    table += rows(told.splitlines(), "linux ")
    return sorted(table, key=lambda row: row[0])


def name_of(rip, table, starts):
    if not rip >> 63:
        return "user or small guest"
    at = bisect.bisect_right(starts, rip) - 1
    return table[at][1] or "linux"


def sample(m, number):
    rips = []
    for _ in range(number):
        found = re.search(r"RIP=([0-9a-f]{16})", m.command_monitor("info registers"))
        if found:
            rips.append(int(found.group(1), 16))
        time.sleep(0.004)
    return rips


def main():
    figure = sys.argv[1]
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    take = {**figures.TAKEN, **ours.TAKEN}[figure]
    m = ours.serving(BUILD, f"{BUILD}/bench/profile").start()
    print("serving after", m.wait_http(f"{figures.SHARED}:8001", 60))
    table = symbols(m)
    starts = [a for a, _ in table]
    result = []
    load = threading.Thread(target=lambda: result.append(take(m, BUILD)))
    load.start()
    time.sleep(0.7)
    counts = collections.Counter(name_of(rip, table, starts) for rip in sample(m, number))
    load.join()
    total = sum(counts.values())
    print(f"{figure} {result}, {total} samples")
    for name, count in counts.most_common(32):
        print(f"  {100 * count / total:5.1f} %  {name}")
    m.stop()


main()
