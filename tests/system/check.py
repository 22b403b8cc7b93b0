#!/usr/bin/python3 -B
# SPDX-License-Identifier: BSD-2-Clause
"""The system tests: whole machines under QEMU.

    check.py [--long] [PATTERN...]     run the scenes whose name contains a pattern; all without one

`--long` takes the scenes that stand beside `make check`, because they last.

A scene boots one machine and carries many cases, because a boot costs seconds and a case does not. Scenes are tables in
cases_*.py: each has a name, a function that starts its machine, and cases {title, function of the machine}, which return
None or what is wrong.
"""
import os
import sys
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import cases_badinput
import cases_boot
import cases_canary
import cases_churn
import cases_hostile
import cases_irqs
import cases_operator
import cases_serving
import cases_stacks
import cases_storm
import cases_wire
from harness import vfr
from harness.progress import Verdicts, say

SCENES = [*cases_serving.SCENES, *cases_boot.SCENES, *cases_operator.SCENES, *cases_badinput.SCENES, *cases_wire.SCENES,
          *cases_churn.SCENES, *cases_hostile.SCENES, *cases_irqs.SCENES, *cases_canary.SCENES, *cases_stacks.SCENES]
LONG = [*cases_stacks.LONG, *cases_hostile.LONG, *cases_storm.LONG]


def run_case(machine, title, case, verdicts):
    try:
        problem = case(machine)
    except Exception as e:  # a test that breaks is a test that failed, and the next one still runs
        problem = f"{type(e).__name__}: {e} at {traceback.extract_tb(e.__traceback__)[-1].lineno}"
    verdicts.add(title, problem)


def run_scene(scene, verdicts):
    name, start, cases = scene
    workdir = f"{vfr.BUILD}/check/system/{name}"
    os.makedirs(workdir, exist_ok=True)
    say(name)
    try:
        machine = start(workdir)
    except Exception as e:
        verdicts.add(f"{name}: starts", f"{type(e).__name__}: {e}")
        for title, _ in cases:
            verdicts.add(f"{name}: {title}", "its machine did not start")
        return
    failed = len(verdicts.failed)
    for title, case in cases:
        run_case(machine, f"{name}: {title}", case, verdicts)
    if len(verdicts.failed) > failed:
        print("".join(f"    | {line}\n" for line in machine.text().splitlines()[-15:]), end="")
        for line in machine.ctl("drops")[1].splitlines():
            print(f"    | {line}")
        machine.keep_log()
    machine.stop()


def main():
    wanted = [word for word in sys.argv[1:] if word != "--long"]
    verdicts = Verdicts()
    for scene in LONG if "--long" in sys.argv else SCENES:
        if not wanted or any(w in scene[0] for w in wanted):
            run_scene(scene, verdicts)
    return verdicts.close()


sys.exit(main())
