# SPDX-License-Identifier: BSD-2-Clause
"""Hostile guests, one after the other, next to a guest that must go on serving without losing a request."""
import glob
import os
import threading
import time

from expect import alive, never
from harness import site, vfr
from harness.machine import deadline

PORT = 22080
SECONDS = 2.5
ENOUGH = 5


def hostile_guests():
    return sorted(os.path.basename(f)[:-4] for f in glob.glob(f"{vfr.BUILD}/guest/tests/hostile-*.elf"))


def start(workdir):
    domains = {"server": site.small(PORT, "22000-22999")}
    for i, name in enumerate(hostile_guests()):
        domains[name] = site.tester(f"build/guest/tests/{name}.elf", f"ip={site.ADDRESS}/24 gw={site.GATEWAY} port={30000 + i}",
                                    ports=f"{30000 + i}-{30000 + i}", paused="true", **{"on-reboot": "destroy"})
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains), workdir, net="user", memory=1024, cpus=2,
                    forwards=[(0, f"10.0.2.15:{PORT}")])


class Poll(threading.Thread):
    """Ask the server all the time; count answers, failures and the longest wait."""

    def __init__(self, machine, port=PORT, patience=30):
        super().__init__(daemon=True)
        self.machine, self.port, self.patience, self.end = machine, port, patience, False
        self.answered, self.lost, self.longest, self.why = 0, 0, 0.0, ""

    def run(self):
        while not self.end:
            begin = time.monotonic()
            if self.machine.http(self.machine.at(self.port) + "/", self.patience) is None:
                self.lost += 1
                self.why = f"after {time.monotonic() - begin:.2f} s: {self.machine.http_problem}"
            else:
                self.answered += 1
            self.longest = max(self.longest, time.monotonic() - begin)
            time.sleep(0.02)

    def finish(self):
        self.end = True
        self.join()


def beside(name):
    """Let one hostile guest loose for a while."""
    def case(m):
        poll = Poll(m)
        status, out, err = m.ctl("dom", "resume", name)
        if status != 0:
            return f"resume: {(out + err).strip()}"
        poll.start()
        time.sleep(SECONDS)
        end = deadline(20)
        while poll.answered < ENOUGH and time.monotonic() < end:
            time.sleep(0.1)
        poll.finish()
        m.ctl("dom", "destroy", name)
        if poll.lost or poll.answered < ENOUGH:
            return f"{poll.answered} answers, {poll.lost} lost, longest wait {poll.longest:.2f} s; {poll.why}"
        return None
    return case


def serves_first(m):
    return None if m.wait_http(m.at(PORT), 30, "/") else "the server does not come up"


CASES = [("the server serves", serves_first)]
CASES += [(f"serves beside {name}", beside(name)) for name in hostile_guests()]
CASES += [("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive)]

SCENES = [("hostile", start, CASES)]

# Ten million random rounds, by four guests with a seed each.
SEEDS = [11, 12, 13, 14]
ROUNDS = int(os.environ.get("VFR_ROUNDS", "10000000")) // len(SEEDS)


def start_random(workdir):
    domains = {"server": site.small(PORT, "22000-22999")}
    for seed in SEEDS:
        domains[f"seed{seed}"] = site.tester("build/guest/tests/hostile-fuzz.elf", f"calls={ROUNDS} seed={seed}", memory="8M",
                                             ports=f"{30000 + seed}-{30000 + seed}", **{"on-poweroff": "preserve"})
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains), workdir, net="user", memory=512, cpus=2,
                    forwards=[(0, f"10.0.2.15:{PORT}")])


def ends_well(seed):
    def case(m):
        end = deadline(1800)
        while time.monotonic() < end and m.alive():
            _, console, _ = m.ctl("console", f"seed{seed}")
            said = [line for line in console.splitlines() if line.startswith("VERDICT ")]
            if said:
                return None if f" SUCCESS hostile-fuzz: {ROUNDS + 1} checks" in said[0] else said[0]
            if m.http(m.at(PORT) + "/", 60) is None:
                return "the server is lost"
            time.sleep(1)
        return "no verdict"
    return case


LONG = [("random", start_random, [("the server serves", serves_first)] +
         [(f"{ROUNDS} random rounds from seed {seed}", ends_well(seed)) for seed in SEEDS] +
         [("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive)])]
