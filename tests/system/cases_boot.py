# SPDX-License-Identifier: BSD-2-Clause
"""Machines of every size we promise, and those without what we need."""
import re

from expect import alive, answers, logs, never
from harness import site, vfr

PORT = 22080


def one_small(workdir):
    return site.write(f"{workdir}/site.yaml", {"small": site.small(PORT, "22000-22999")})


def machine(**options):
    def start(workdir):
        options.setdefault("net", "user")
        options.setdefault("forwards", [(0, f"10.0.2.15:{PORT}")] if options["net"] == "user" else [])
        return vfr.boot(one_small(workdir), workdir, **options)
    return start


def cpus_online(number):
    def case(m):
        info = m.json("info") or {}
        got = info.get("cpus_online", info.get("cpus"))
        return None if got == number else f"{got} CPUs, not {number}: {info}"
    return case


def memory_seen(mib):
    """All of it but what firmware keeps."""
    def case(m):
        info = m.json("info") or {}
        total = info.get("memory_bytes", 0)
        return None if 0.9 * mib < total / (1 << 20) <= mib else f"{total} bytes of {mib} MiB"
    return case


def sized(cpus, mib):
    return (f"cpus{cpus}-{mib}M", machine(cpus=cpus, memory=mib),
            [("the small guest answers", answers(PORT, "small")), ("every CPU is up", cpus_online(cpus)), ("all memory is seen", memory_seen(mib)),
             ("no panic", never(r"(?i)\bpanic\b"))])


def halted(m):
    """It stopped on purpose: a panic, not a reset (QEMU would have ended)."""
    return None if m.alive() else "the machine reset"


def uplinks(number):
    def case(m):
        got = (m.json("info") or {}).get("uplinks")
        return None if got == number else f"{got} uplinks, not {number}"
    return case


# Behind the first one, which serves.
CARDS = [word for i in range(8) for word in ("-netdev", f"user,id=more{i},restrict=on", "-device", f"virtio-net-pci,netdev=more{i},addr={0x10 + i:#x}")]

SCENES = [
    sized(1, 256),
    sized(2, 3072),
    sized(4, 16384),
    ("cpus34-1024M", machine(cpus=34, memory=1024, options="cpus=100"),
     [("the small guest answers", answers(PORT, "small")), ("32 CPUs are used, and no more", cpus_online(32)), ("no panic", never(r"(?i)\bpanic\b"))]),
    ("nine-cards", machine(memory=512, extra=CARDS),
     [("the small guest answers", answers(PORT, "small")), ("eight are uplinks", uplinks(8)), ("the ninth is named", logs(r"more cards than uplinks")),
      ("no panic", never(r"(?i)\bpanic\b"))]),
    ("pc-machine", machine(machine="pc", memory=512), [("the small guest answers", answers(PORT, "small"))]),
    ("no-svm", machine(cpu="max,-svm"), [("the log says that the CPU lacks SVM", logs(r"svm")), ("it stops there", halted)]),
    ("no-nic", machine(net="none"), [("the log says that there is no NIC", logs(r"(no (nic|network|uplink)|net0)")), ("control works", alive),
                                     ("no panic", never(r"(?i)\bpanic\b"))]),
    ("little-memory", machine(memory=32), [("the log says so", logs(r"memory", timeout=20)), ("it did not reset", halted)]),
]
