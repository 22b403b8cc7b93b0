# SPDX-License-Identifier: BSD-2-Clause
"""Commands on a Debian guest's console, with their output and exit status: needs no network."""
import itertools
import os
import re
import select
import subprocess
import time

from .machine import deadline
from .vfr import VFRCTL

TURN = itertools.count(1)


def shell(m, guest, script, timeout=30):
    """Run a one-line script in the guest: (exit status, output). Status 124 when it does not end."""
    tag = f"{os.getpid()}-{next(TURN)}"
    # What the console echoes of the line must not look like its output.
    line = f"echo be''gin-{tag}; ( {script} ) </dev/null 2>&1; echo en''d-{tag}-$?\n"
    child = subprocess.Popen([VFRCTL, "--socket", m.control, "console", guest], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT)
    seen, end = "", deadline(timeout)
    found = None
    try:
        os.write(child.stdin.fileno(), line.encode())
    except BrokenPipeError:
        pass  # it has said why
    while not found and time.monotonic() < end:
        if select.select([child.stdout], [], [], 1)[0]:
            piece = os.read(child.stdout.fileno(), 65536)
            if not piece:
                break
            seen += piece.decode("latin1").replace("\r", "")
            found = re.search(rf"begin-{tag}\n(.*?)end-{tag}-(\d+)", seen, re.S)
    child.kill()
    child.communicate()
    return (int(found.group(2)), found.group(1)) if found else (124, seen[-500:])
