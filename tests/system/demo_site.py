# SPDX-License-Identifier: BSD-2-Clause
"""The demonstration system: what is on it, and how it is started and shown. `make run` and `make demo` share it."""
import os

from harness import vfr
from harness.machine import stop_all
from harness.progress import die, say

SITE = f"{vfr.TOP}/tests/system/sites/demo.yaml"
ADDRESS = "10.0.2.15"
GUESTS = [("web1", 20080, "stock Debian, ports 20000-20999"),
          ("web2", 21080, "stock Debian, ports 21000-21999"),
          ("small", 22080, "our own, in 4 MiB, ports 22000-22999")]
RUN = os.environ.get("VFR_RUN", f"{vfr.BUILD}/run")
SOCKET = f"{RUN}/vfr.sock"


def start(workdir):
    """Boot and wait until all three serve; the machine."""
    say("compiling the site file into a boot plan, packing the ISO")
    m = vfr.boot(SITE, workdir, memory=1024, cpus=2, net="user",
                 forwards=[(str(port), f"{ADDRESS}:{port}") for _, port, _ in GUESTS])
    say("machine on (QEMU, 2 CPUs, 1 GiB); GRUB reads the modules")
    if not m.wait_text("VFR-HANDOVER", 30):
        fail(m, "GRUB did not come up")
    say("GRUB hands over to the hypervisor")
    offer_socket(m)
    for name, port, what in GUESTS:
        if m.wait_http(f"127.0.0.1:{port}", 60, "/") is None:
            fail(m, f"{name} does not answer")
        say(f"{name} answers on {ADDRESS}:{port}: {what}")
    return m


def offer_socket(m):
    """Put the control socket where vfrctl looks without being told."""
    os.makedirs(os.path.dirname(SOCKET), exist_ok=True)
    if os.path.islink(SOCKET) or os.path.exists(SOCKET):
        os.unlink(SOCKET)
    os.symlink(m.control, SOCKET)


def stop():
    """End the machine, however far it came, and withdraw the socket unless another machine has put its own there."""
    stop_all()
    if os.path.islink(SOCKET) and not os.path.exists(SOCKET):
        os.unlink(SOCKET)


def fail(m, problem):
    m.stop()
    die(f"{problem}. The serial log ends:\n{m.text()[-3000:]}")
