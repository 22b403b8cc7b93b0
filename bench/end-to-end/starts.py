# SPDX-License-Identifier: BSD-2-Clause
"""How long a start takes: from GRUB's last word to the first guest's first instruction, and from power-on to an HTTP answer."""
import time

import figures

# What shows on the serial line when the first guest runs. Xen's dom0 says so itself; ours logs it.
FIRST_GUEST = {"xen": "mapping kernel into physical memory", "ours": "first guest instruction"}
HANDOVER = "VFR-HANDOVER"


def seen_after(m, first, second, timeout):
    """Seconds between two texts appearing in the serial log."""
    begin, end = None, time.monotonic() + timeout
    with open(m.serial, "rb") as f:
        text = b""
        while time.monotonic() < end and m.alive():
            text += f.read()
            now = time.monotonic()
            if begin is None and first in text:
                begin = now
            if second in text:
                return now - begin
            time.sleep(0.001)
    return None


def measure(made, samples, runs, note):
    for turn in range(runs):
        for name, make in made.items():
            m = make().start()
            if name in FIRST_GUEST:
                value = seen_after(m, HANDOVER.encode(), FIRST_GUEST[name].encode(), 60)
                samples.add(name, "handover_to_guest_s", value)
                note(f"start {turn + 1}/{runs} {name} handover_to_guest_s {value}")
            value = m.wait_http(f"{figures.SHARED}:8001", 180)
            samples.add(name, "power_on_to_http_s", value)
            note(f"start {turn + 1}/{runs} {name} power_on_to_http_s {value}")
            m.stop()
