# SPDX-License-Identifier: BSD-2-Clause
"""What an event storm takes from others beyond the sender's own share. The machine's clock counts instructions."""
import re
import time

from expect import alive, never
from harness import site, vfr
from harness.machine import deadline

LOSS = 0.05


def start(workdir):
    domains = {"work": site.tester("build/guest/tests/work.elf", "ms=400", ports="30000-30000", paused="true", **{"on-poweroff": "preserve"}),
               "spin": site.tester("build/guest/tests/hostile-spin.elf", ports="30001-30001", paused="true"),
               "storm": site.tester("build/guest/tests/hostile-event-storm.elf", "ms=1000000", ports="30002-30002", paused="true")}
    return vfr.boot(site.write(f"{workdir}/site.yaml", domains), workdir, net="user", memory=256, cpus=1,
                    extra=["-icount", "shift=0,sleep=off"])


def work(m, how):
    """What the worker says that it has done, None if it does not end."""
    if m.ctl("dom", how, "work")[0] != 0:
        return None
    end = deadline(60)
    while time.monotonic() < end and m.alive():
        found = re.search(r"BENCH work_done (\d+)", m.ctl("console", "work")[1])
        if found:
            return int(found.group(1))
        time.sleep(0.2)
    return None


def loses_little(m):
    """The same work beside a guest that only turns, and beside one that sends as many events as it can."""
    if not m.wait_text("control: serving", 60):
        return "the machine does not come up"
    m.ctl("dom", "resume", "spin")
    quiet = work(m, "resume")
    m.ctl("dom", "destroy", "spin")
    m.ctl("dom", "resume", "storm")
    beside = work(m, "reboot")
    if not quiet or not beside:
        return f"no result: {quiet}, {beside}"
    print(f"    {quiet} beside a guest that turns, {beside} beside the storm")
    return None if beside >= (1 - LOSS) * quiet else f"{beside} done beside the storm, {quiet} without"


LONG = [("storm", start, [(f"others lose less than {LOSS:.0%}", loses_little), ("no panic", never(r"(?i)\bpanic\b")), ("still alive", alive)])]
