# SPDX-License-Identifier: BSD-2-Clause
"""How long interrupts wait. The machine's clock counts instructions here, one a nanosecond, so a busy host changes nothing."""
import re
import time

from expect import alive, never
from harness import site, vfr
from harness.machine import deadline

PORT = 22080
AT_MOST_US = 1000
GUESTS = ["hostile-console-flood", "hostile-events-smp", "hostile-grants", "hostile-hypercall-sweep", "hostile-memory",
          "hostile-netif-slots", "hostile-xenstore-flood"]


def start(workdir):
    domains = {"server": site.small(PORT, "22000-22999")}
    for i, name in enumerate(GUESTS):
        domains[name] = site.tester(f"build/guest/tests/{name}.elf", ports=f"{30000 + i}-{30000 + i}", paused="true", **{"on-poweroff": "destroy"})
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains), workdir, net="user", memory=512, cpus=1, options="loglevel=debug",
                    extra=["-icount", "shift=0,sleep=off"], forwards=[(0, f"10.0.2.15:{PORT}")])


def worked(m):
    """All of them at once, the server asked meanwhile; then each is taken away, also those that would go on."""
    if m.wait_http(m.at(PORT), 60, "/") is None:
        return "the server does not come up"
    for name in GUESTS:
        m.ctl("dom", "resume", name)
    end = time.monotonic() + 2.5
    while time.monotonic() < end:
        m.http(m.at(PORT) + "/", 60)
    for name in GUESTS:
        m.ctl("dom", "destroy", name)
    return None if m.http(m.at(PORT) + "/", 60) else "the server is gone"


def made_and_taken(m):
    """A large domain from uploaded files, and one with many vcpus and half of all ports: made, built anew, taken away."""
    domains = {"server": site.small(PORT, "22000-22999"),
               "large": site.debian("large", 25080, "25000-25999", memory="161M", paused="true"),
               "wide": site.small(31080, "31000-65535", vcpus=16, paused="true")}
    status, _, err = m.ctl("apply", site.write(f"{m.dir}/more.yaml", domains), timeout=120)
    if status:
        return f"apply: {err}"
    for verb in ("reboot", "destroy"):
        for name in ("large", "wide"):
            status, _, err = m.ctl("dom", verb, name)
            if status:
                return f"{verb} {name}: {err}"
    return None


def waits(m):
    """The report comes every minute of the machine's time, which passes fast when it has nothing to do."""
    before = len(reports(m))
    end = deadline(60)
    while len(reports(m)) == before and time.monotonic() < end and m.alive():
        time.sleep(0.1)
    seen = reports(m)
    if len(seen) == before:
        return "no report"
    return None if max(seen) <= AT_MOST_US else f"interrupts waited {max(seen)} us, more than {AT_MOST_US}"


def reports(m):
    return [int(us) for us in re.findall(r"interrupts waited .* at most (\d+) us", m.text())]


SCENES = [("interrupts", start, [("hostile guests run and end", worked), ("domains are made and taken away", made_and_taken),
                                 (f"no interrupt waits longer than {AT_MOST_US} us", waits),
                                 ("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive)])]
