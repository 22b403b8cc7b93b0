# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of one 64-byte packet, from the card's interrupt to the guest's next instruction, on ours by stage and on Xen with dom0.

QEMU writes down every instruction that it emulates (one a translation block, -icount shift=0) while single UDP packets arrive at a
guest that sleeps. They come from port 0, so the guest's echo cannot be sent and nothing comes back. A packet's instructions are those
between an interrupt of the card's vector and the first instruction in guest mode; which vector is the card's shows beside an idle
trace. A repeated string instruction counts once.

Then bursts: how many packets a run took shows by how often their verdict was asked for, and each stage's instructions are divided by that.
"""
import bisect
import collections
import os
import re
import statistics
import subprocess
import time

import figures
from harness import vfr

COUNTED = ["-icount", "shift=0"]
PACKETS = 12
GAP_S = 0.35
BURSTS, BATCH, BURST_GAP_S = 6, 32, 2.5
SEND = """
import socket, struct, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
for i in range(int(sys.argv[2])):
    for j in range(int(sys.argv[4])):
        s.sendto(struct.pack(">HHHH", 0, 7007, 26, 0) + bytes(18), (sys.argv[1], 0))
    time.sleep(float(sys.argv[3]))
"""

LINE = re.compile(r"Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]{16})/([0-9a-f]{8})/| v=([0-9a-f]{2}) ")
GUEST_MODE = 1 << 21  # of QEMU's flags: between VMRUN and the next exit
FIRST_IRQ = 0x20

# A function's stage; what is not named here belongs to the stage of whoever came before: its caller.
STAGES = {
    "driver": ["net_rx_softirq", "uplinks_rx_poll", "rx_batch", "vn_rx_pop"],
    "parse": ["vfr_parse_batch"],
    "verdict": ["vfr_input", "vfr_plain_way"],
    "netif": ["net_dispatch", "netif_rx_push"],
    "event": ["net_leave", "netif_notify"],
    "entry": ["schedule", "svm_run", "svm_enter"],
}
ORDER = ["interrupt", *STAGES]
RING = ["driver", "parse", "verdict", "netif"]


def trace(m, name, packets, gap=GAP_S, burst=1):
    """The trace of a while in which so many packets, or bursts of them, come, as a file."""
    path = f"{m.dir}/{name}.trace"
    for line in (f"logfile {path}", "singlestep on", "log exec,nochain,int"):
        m.command_monitor(line)
    begin = time.monotonic()
    if packets:
        m.run(["python3", "-c", SEND, figures.SHARED, str(packets), str(gap), str(burst)])
    time.sleep(max(0, begin + PACKETS * GAP_S - time.monotonic()))
    for line in ("log none", "singlestep off"):
        m.command_monitor(line)
    return path


def events(path):
    """("irq", vector, 0) and ("pc", address, flags), repetitions of one address left out."""
    last = None
    with open(path, errors="replace") as f:
        for line in f:
            found = LINE.search(line)
            if not found:
                continue
            if found[3]:
                yield "irq", int(found[3], 16), 0
            elif found[1] != last:
                last = found[1]
                yield "pc", int(last, 16), int(found[2], 16)


def card_vector(idle, busy):
    """The interrupt that packets bring and idleness does not."""
    count = [collections.Counter(v for kind, v, _ in events(path) if kind == "irq" and v >= FIRST_IRQ) for path in (idle, busy)]
    more = {v: n - count[0][v] for v, n in count[1].items() if n >= PACKETS - 2 and count[0][v] <= 2}
    return max(more, key=more.get) if more else None


def runs(path, vector):
    """For each interrupt of the card, the (address, flags) of all instructions up to the guest's."""
    run = None
    for kind, value, flags in events(path):
        if kind == "irq":
            if value == vector and run is None:
                run = []
        elif run is not None:
            if flags & GUEST_MODE:
                yield run
                run = None
            else:
                run.append((value, flags))


def traced(m, timeout, note, bursts=0):
    """The runs of all packets, and those of bursts; none when they cannot be told. The machine is started and stopped here."""
    m.start()
    if not m.wait_http(f"{figures.SHARED}:8001", timeout):
        note(f"packet instructions: no answer, see {m.serial}")
        m.stop()
        return [], []
    m.http(f"{figures.SHARED}:8001/hello", 30)
    time.sleep(1)
    idle, busy = trace(m, "idle", 0), trace(m, "packets", PACKETS)
    vector = card_vector(idle, busy)
    many = trace(m, "bursts", bursts, BURST_GAP_S, BATCH) if bursts else None
    m.stop()
    found = list(runs(busy, vector)) if vector else []
    batches = list(runs(many, vector)) if vector and many else []
    for path in filter(None, (idle, busy, many)):
        os.unlink(path)
    if len(found) < PACKETS / 2:
        note(f"packet instructions: {len(found)} packets seen, no figure")
        return [], []
    return found, batches


def symbols():
    return subprocess.run(["nm", "-n", vfr.ELF], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def functions():
    """Sorted addresses of the hypervisor's functions, and the stage of each; None: its caller's."""
    stage = {name: s for s, names in STAGES.items() for name in names}
    table = []
    for line in symbols():
        words = line.split()
        if len(words) == 3 and words[1] in "tT":
            table.append((int(words[0], 16), stage.pop(words[2], None)))
    if stage:
        raise RuntimeError(f"the hypervisor has no {', '.join(stage)}")
    return table


def by_stage(run, table, starts):
    count, now = collections.Counter(), "interrupt"
    for address, _ in run:
        now = table[bisect.bisect_right(starts, address) - 1][1] or now
        count[now] += 1
    return count


def of_batches(batches, table, starts, samples, note):
    """What a packet costs that comes with others: the runs of at least half a burst."""
    asked = int(next(line.split()[0] for line in symbols() if line.endswith(" vfr_plain_way")), 16)
    shares, sizes = [], []
    for run in batches:
        packets = sum(address == asked for address, _ in run)
        if packets >= BATCH / 2:
            count = by_stage(run, table, starts)
            shares.append({stage: count[stage] / packets for stage in ORDER})
            sizes.append(packets)
    if not shares:
        note("packet instructions: no burst came as a batch, no figure")
        return
    for stage in ORDER:
        samples.add("ours", f"batch_{stage}_instructions", statistics.median(s[stage] for s in shares))
    samples.add("ours", "batch_wire_to_ring_instructions", statistics.median(sum(s[stage] for stage in RING) for s in shares))
    samples.add("ours", "batch_packets", statistics.median(sizes))
    note(f"ours in batches of {statistics.median(sizes):g}, a packet: " +
         ", ".join(f"{stage} {statistics.median(s[stage] for s in shares):.4g}" for stage in ORDER))


def ours(m, samples, note):
    table = functions()
    starts = [address for address, _ in table]
    found, batches = traced(m, 120, note, BURSTS)
    of_batches(batches, table, starts, samples, note)
    counts = [by_stage(run, table, starts) for run in found]
    counts = [c for c in counts if c["netif"]]
    if not counts:
        return
    middle = {stage: statistics.median(c[stage] for c in counts) for stage in ORDER}
    for stage, value in middle.items():
        samples.add("ours", f"packet_{stage}_instructions", value)
    samples.add("ours", "packet_wire_to_ring_instructions", sum(middle[stage] for stage in RING))
    samples.add("ours", "packet_wire_to_guest_instructions", statistics.median(sum(c.values()) for c in counts))
    note("ours packet instructions: " + ", ".join(f"{stage} {value:g}" for stage, value in middle.items()))


def xen(m, samples, note):
    found, _ = traced(m, 240, note)
    if not found:
        return
    whole = statistics.median(len(run) for run in found)
    own = statistics.median(sum(1 for _, flags in run if not flags & 3) for run in found)  # the rest is dom0, which runs at CPL 3
    samples.add("xen", "packet_wire_to_guest_instructions", whole)
    note(f"xen packet instructions: {whole:g}, of which Xen itself {own:g}")
