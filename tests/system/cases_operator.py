# SPDX-License-Identifier: BSD-2-Clause
"""What an operator does with a site file of his own: `make iso`, `make run SITE=...`, and their mistakes."""
import os
import pty
import re
import select
import signal
import subprocess
import time

from expect import answers
from harness import site, vfr
from harness.machine import deadline, listening

HERE = os.path.dirname(os.path.abspath(__file__))
ADDRESS, GATEWAY = "203.0.113.7", "203.0.113.1"
PORT = 8080


def own_site(workdir):
    return site.write(f"{workdir}/own.yaml", {"one": site.small(PORT, "8080/tcp", ADDRESS, GATEWAY)}, ADDRESS, GATEWAY)


class Disc(vfr.Machine):
    """The ISO of `make iso` in a machine's drive, its modules read through the BIOS."""

    def __init__(self, workdir):
        image = f"{workdir}/vfr.iso"
        subprocess.run([f"{HERE}/boot", own_site(workdir), "-o", workdir, "--iso", image, "--append", "loglevel=debug"], check=True)
        super().__init__(workdir, ["-cdrom", image], memory=256, control=True, net="user", user_net=f"net=203.0.113.0/24,host={GATEWAY}",
                         forwards=[(0, f"{ADDRESS}:{PORT}")])


def refused(text, words, *more):
    """The program ends with 1 and says these words, and nothing of Python."""
    def case(m):
        path = f"{m.dir}/wrong.yaml"
        with open(path, "w") as f:
            f.write(text)
        done = subprocess.run([f"{HERE}/{more[0]}", path, *more[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, "VFR_RUN": f"{m.dir}/run"})
        if done.returncode != 1 or words not in done.stdout or "Traceback" in done.stdout:
            return f"exit {done.returncode}: {done.stdout[-500:]}"
        return None
    return case


def read_until(fd, pattern, seen=""):
    end = deadline(60)
    while not re.search(pattern, seen) and select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
        try:
            piece = os.read(fd, 4096).decode("latin1")
        except OSError:         # the terminal's other end is closed
            break
        seen += piece
    return seen


def run_and_leave(m):
    """`make run SITE=...` in a terminal: it serves, and Ctrl-C ends all of it."""
    run = f"{m.dir}/run"
    child, fd = pty.fork()
    if child == 0:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.environ["VFR_RUN"] = run
        os.execv(f"{HERE}/run.py", [f"{HERE}/run.py", own_site(m.dir), f"0-{ADDRESS}:{PORT}"])
    seen = read_until(fd, "Ctrl-C stops everything")
    port = re.search(r"127\.0\.0\.1:(\d+) leads to port 8080", seen)
    body = port and subprocess.run(["curl", "-s", "--retry", "20", "--retry-all-errors", f"http://127.0.0.1:{port[1]}/"],
                                   stdout=subprocess.PIPE, text=True).stdout
    twin = subprocess.run([f"{HERE}/run.py", own_site(m.dir)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env={**os.environ, "VFR_RUN": run}).stdout
    os.write(fd, b"\x03")
    end = read_until(fd, "never")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if not body or "one at 203.0.113.7:8080" not in body:
        return f"it does not serve: {body}; {seen[-500:]}"
    if "already" not in twin:
        return f"a second one in the same place is not refused: {twin[-300:]}"
    if status != 0 or "stopping" not in end:
        return f"exit {status} after Ctrl-C: {end[-300:]}"
    left = [name for name in (f"{run}/vfr.sock", f"{run}/site/control.sock") if os.path.lexists(name)]
    return f"left behind: {left}" if left or listening(f"{run}/site/monitor.sock") else None


SCENES = [
    ("operator", lambda workdir: Disc(workdir).start(),
     [("the ISO of `make iso` boots by BIOS and serves", answers(PORT, "one at 203.0.113.7")),
      ("a wrong site file is told in the operator's words", refused("addresses:\n  1.2.3/24: {}\n", ":2:3: '1.2.3/24' is not an address",
                                                                   "boot", "-o", "build/check/system/operator/wrong", "--iso", "x.iso")),
      ("`make run SITE=` wants a network that QEMU can play", refused("addresses:\n  203.0.113.7: {}\n", "with its prefix and a gateway",
                                                                     "run.py")),
      ("`make run SITE=` serves, and Ctrl-C leaves nothing behind", run_and_leave)]),
]
