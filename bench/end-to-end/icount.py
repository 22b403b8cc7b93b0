# SPDX-License-Identifier: BSD-2-Clause
"""Instructions of a null hypercall and of an event send, counted by QEMU (-icount shift=0: a guest's TSC counts instructions).

The same test guest runs on Xen, created by dom0's toolstack, and on ours, out of the boot plan. It prints
`BENCH name value`; Xen's lines come through dom0's console log.
"""
import os
import re
import subprocess

import peers
from harness import site, vfr

GUEST = "guest/tests/bench.elf"
FIGURES = {"null_hypercall_ticks": "null_hypercall_instructions", "event_send_masked_ticks": "event_send_instructions"}
COUNTED = ["-icount", "shift=0,sleep=off"]
CFG = """name = "bench"
type = "pvh"
kernel = "/boot/bench.elf"
extra = "test"
memory = 16
vcpus = 1
tsc_mode = "native"
"""


def collect(m, machine, samples, note, timeout):
    for bench, figure in FIGURES.items():
        found = m.wait_text(rf"BENCH {bench} (\d+)", timeout)
        value = float(found.group(1)) if found else None
        samples.add(machine, figure, value)
        note(f"{machine} {figure} {value}")
    m.stop()


def overlay(build, workdir):
    """An initramfs that makes dom0 start the test guest instead of the Debian one."""
    tree = f"{workdir}/overlay"
    os.makedirs(f"{tree}/boot", exist_ok=True)
    with open(f"{tree}/boot/bench.cfg", "w") as f:
        f.write(CFG)
    with open(f"{build}/{GUEST}", "rb") as source, open(f"{tree}/boot/bench.elf", "wb") as target:
        target.write(source.read())
    with open(os.path.join(os.path.dirname(peers.__file__), "peer.conf")) as source, open(f"{tree}/boot/peer.conf", "w") as target:
        target.write(source.read() + "guests=bench.cfg\n")
    subprocess.run(f"find boot | cpio --quiet -o -H newc | gzip -1n >{os.path.abspath(workdir)}/overlay.gz", shell=True, cwd=tree, check=True)
    return f"{workdir}/overlay.gz"


def xen(build, workdir, samples, note):
    os.makedirs(workdir, exist_ok=True)
    m = peers.xen(build, workdir, extra=COUNTED, net="none", overlay=overlay(build, workdir)).start()
    collect(m, "xen", samples, note, 240)


def ours(build, work, samples, note):
    workdir = f"{work}/ours"
    os.makedirs(workdir, exist_ok=True)
    path = site.write(f"{workdir}/site.yaml", {"bench": site.tester(f"build/{GUEST}", memory="16M")})
    m = vfr.Vfr(workdir, vfr.compile_site(path, f"{workdir}/modules"), options="guestlog", net="none", memory=512, cpus=1,
                extra=COUNTED).start()
    collect(m, "ours", samples, note, 120)
