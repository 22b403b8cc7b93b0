# SPDX-License-Identifier: BSD-2-Clause
"""Samples in, one line a figure out: name, ours, the peer's, the ratio, the goal, met or missed."""
import statistics

SPREAD = 0.15
HOLDS = {">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, "<": lambda a, b: a < b}


class Samples:
    """samples[machine][figure] is the list of what was measured; every one also goes to the raw file at once."""

    def __init__(self, path):
        self.raw = open(path, "w")
        self.raw.write("machine\tfigure\tvalue\n")
        self.samples = {}

    def add(self, machine, figure, value):
        self.raw.write(f"{machine}\t{figure}\t{'failed' if value is None else f'{value:.6g}'}\n")
        self.raw.flush()
        if value is not None:
            self.samples.setdefault(machine, {}).setdefault(figure, []).append(value)

    def get(self, machine, figure):
        return self.samples.get(machine, {}).get(figure, [])

    def text(self, machine, figure):
        """median [minimum..maximum]; '-' when nothing was measured."""
        values = self.get(machine, figure)
        if not values:
            return "-"
        if len(values) == 1:
            return f"{values[0]:.4g}"
        return f"{statistics.median(values):.4g} [{min(values):.4g}..{max(values):.4g}]"

    def spread(self, machine, figure):
        """Distance of the middle half, of the median; with fewer than five samples, of all."""
        values = sorted(self.get(machine, figure))
        if len(values) < 2:
            return 0.0
        inner = values[1:-1] if len(values) >= 5 else values
        return (inner[-1] - inner[0]) / statistics.median(values)

    def median(self, machine, figure):
        values = self.get(machine, figure)
        return statistics.median(values) if values else None


def verdict(value, relation, goal):
    if goal is None:
        return "-"
    return "met" if value is not None and HOLDS[relation](value, goal) else "missed"


def worst(samples, figure, peer, peers, relation):
    """The ratio of the ends least favourable to us: what a wide spread still proves."""
    ours, theirs = samples.get("ours", figure), samples.get(peer, peers)
    if relation == ">=":
        return min(ours) / max(theirs)
    return max(ours) / min(theirs)


def compare(samples, name, figure, peer, peers, relation, goal):
    ours, theirs = samples.median("ours", figure), samples.median(peer, peers)
    wide = max(samples.spread("ours", figure), samples.spread(peer, peers))
    if ours is None or not theirs:
        ratio, shown = None, "-"
    elif wide > SPREAD:
        ratio, shown = worst(samples, figure, peer, peers, relation), f"spread {wide:.0%}"
    else:
        ratio = ours / theirs
        shown = f"{ratio:.2f}"
    want = "printed" if goal is None else f"{relation}{goal:.2f}x"
    return [name, samples.text("ours", figure), samples.text(peer, peers), shown, want, verdict(ratio, relation, goal)]


def lines(samples, goals, alone):
    """The report. Where a spread is too wide for a ratio none is shown, and only the unfavourable ends can meet the goal."""
    for goal in goals:
        yield "\t".join(compare(samples, *goal))
    for name, figure, relation, goal in alone:
        want = "printed" if goal is None else f"{relation}{goal:g}"
        yield "\t".join([name, samples.text("ours", figure), "-", "-", want, verdict(samples.median("ours", figure), relation, goal)])
