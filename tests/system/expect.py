# SPDX-License-Identifier: BSD-2-Clause
"""Small makers of cases: what the log must say, what a command must answer, what must go on serving."""
import re
import time

from harness.machine import deadline


def logs(pattern, timeout=10):
    """The serial log says so, at the latest after timeout."""
    def case(m):
        return None if m.wait_text(f"(?i){pattern}", timeout) else f"the log does not say '{pattern}'"
    return case


def never(pattern):
    def case(m):
        found = re.search(pattern, m.text(), re.M)
        return f"the log says '{found.group(0)}'" if found else None
    return case


def answers(port, contains="", timeout=30, path="/"):
    """HTTP on a forwarded port."""
    def case(m):
        end = deadline(timeout)
        body = None
        while time.monotonic() < end and m.alive():
            body = m.http(m.at(port) + path, 10)
            if body is not None:
                return None if contains in body else f"'{contains}' is not in '{body[:80]}'"
            time.sleep(0.1)
        return "no answer"
    return case


def ctl(words, status=0, says=()):
    """vfrctl exits with the status and its output matches every pattern."""
    def case(m):
        got, out, err = m.ctl(*words.split())
        if got != status:
            return f"exit {got}, not {status}: {(out + err).strip()[-200:]}"
        for pattern in [says] if isinstance(says, str) else says:
            if not re.search(pattern, out + err, re.M | re.S):
                return f"'{pattern}' is not in: {(out + err).strip()[:300]}"
        return None
    return case


def alive(m):
    """The hypervisor runs and answers its control port."""
    if not m.alive():
        return "the machine ended"
    status, out, err = m.ctl("info")
    return None if status == 0 else f"vfrctl info: exit {status} {err.strip()[:200]}"


def domain_state(name, state, timeout=10):
    def case(m):
        end = deadline(timeout)
        out = ""
        while time.monotonic() < end:
            _, out, _ = m.ctl("dom", "ls")
            if re.search(rf"^{name}\b.*{state}", out, re.M):
                return None
            time.sleep(0.2)
        return f"{name} is not {state}: {out.strip()[:300]}"
    return case
