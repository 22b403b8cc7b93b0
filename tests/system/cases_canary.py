# SPDX-License-Identifier: BSD-2-Clause
"""Free memory full of one word: no guest ever sees it, at its first start or in what another has left."""
import time

from expect import alive, never
from harness import site, vfr
from harness.machine import deadline

GUESTS = ["canary", "hostile-memory"]


def start(workdir):
    domains = {name: site.tester(f"build/guest/tests/{name}.elf", f"ip={site.ADDRESS}/24 gw={site.GATEWAY} port={30000 + i}",
                                 ports=f"{30000 + i}-{30000 + i}", memory="8M", paused="true", **{"on-poweroff": "preserve"})
               for i, name in enumerate(GUESTS)}
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains), workdir, net="user", memory=160, cpus=1, options="canary")


def verdicts(m, name):
    _, console, _ = m.ctl("console", name)
    return [line for line in console.splitlines() if line.startswith("VERDICT ")]


def runs(name, start):
    """Run it to its end, for the first time or once more, built anew with a console of its own."""
    def case(m):
        status, out, err = m.ctl("dom", start, name)
        if status != 0:
            return (out + err).strip()
        end = deadline(30)
        while time.monotonic() < end and m.alive():
            said = verdicts(m, name)
            if said:
                return None if " SUCCESS " in said[-1] else said[-1]
            time.sleep(0.1)
        return "no verdict"
    return case


def filled(m):
    return None if m.wait_text("filled with a pattern", 30) and m.wait_text("control: serving", 30) else "the option is not known"


SCENES = [("canary", start, [("free memory is filled", filled)] + [(f"nothing reaches {name}", runs(name, "resume")) for name in GUESTS] +
           [("nothing of what others left reaches canary", runs("canary", "reboot")), ("no panic", never(r"(?i)\bpanic\b")),
            ("still alive", alive)])]
