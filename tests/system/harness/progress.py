# SPDX-License-Identifier: BSD-2-Clause
"""Progress with elapsed time, for people who watch, and counts for `make check`."""
import sys
import time

START = time.monotonic()


class Trouble(Exception):
    """What keeps a machine from being made or started, in words for the person who asked for it."""


def elapsed():
    return time.monotonic() - START


def say(text):
    """One line of progress, stamped with the seconds since the program started."""
    print(f"[{elapsed():6.1f}] {text}", flush=True)


class Verdicts:
    """Counts named results and closes with the line that the check runner reads."""

    def __init__(self):
        self.passed = 0
        self.failed = []

    def add(self, name, problem):
        """problem is None for success, otherwise what is wrong."""
        if problem is None:
            self.passed += 1
            say(f"  ok    {name}")
        else:
            self.failed.append(name)
            say(f"  FAIL  {name}: {problem}")

    def close(self):
        """Print the sum; the exit status of the program."""
        for name in self.failed:
            print(f"failed: {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        return 0 if self.passed and not self.failed else 1


def die(text):
    print(text, file=sys.stderr, flush=True)
    sys.exit(1)
