"""`make mutants`: a sample of faults, and which of them the tests do not find.

Libraries for this run all tests in a process of its own for each fault, or rewrite the sources on the disk. Here a
process that has everything loaded forks for each fault, gives the functions around it the code with the fault in it,
and runs the tests that cover its lines, the quick and the special ones first. What is run at the import is imported
anew, with the fault. There are as many at a time as the machine has cores, each with an embedded PostgreSQL that its
faults share one after another. Nothing on the disk changes.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from tests.mutants.covered import WORK, Covering, Lines, Order, covering, covers, measure, seconds
from tests.mutants.faults import Fault, fault_at, places_of
from tests.mutants.faulty import load, run_tests

PACKAGES = ("models", "services", "schema", "resolvers", "server")

EQUIVALENT = Path("tests/mutants/equivalent.toml")

SILENT_SECONDS = 150.0
"""How long a test may take: a fault that makes it hang is found."""

UNKNOWN_TEST = 4
"""pytest's exit code where it finds no test of a name, or cannot import it."""

Tests: TypeAlias = Sequence[Sequence[str]]
"""Batches of tests."""

Sampled: TypeAlias = tuple[int, Fault, Tests, bool]
"""A fault, its number, the tests that cover it, and whether its lines are run in tests alone."""

SERVER = """
import sys, tests.postgres as p, tests.roles as r
with p.temporary_postgres() as url:
    r.furnish(url)
    print(url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def postgres() -> Iterator[str]:
    """An embedded PostgreSQL with haru's tables, of another process: this one must not have imported what it tests."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            yield process.stdout.readline().strip().replace("+asyncpg", "")
        finally:
            process.stdin.close()


@dataclass
class Run:
    """The tests that run with a fault, in a process of its own."""

    number: int
    fault: Fault
    tests: Tests
    loaded: bool
    url: str
    log: Path
    pid: int = 0
    told: str = ""
    """What told it."""
    heard: str = ""
    heard_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        """Begin."""
        self.log.unlink(missing_ok=True)
        self.pid = os.fork()
        if self.pid == 0:
            run_tests(self.fault, self.tests, self.url, self.log, loaded=self.loaded)

    def verdict(self) -> str | None:
        """What has become of the fault; none as long as tests are run."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        text = self.log.read_text() if self.log.exists() else ""
        if pid:
            code = os.waitstatus_to_exitcode(status)
            if code == UNKNOWN_TEST and not re.search("rror (collecting|while loading)", text):
                self.told = "a test has another name"
                return "not run"
            told = re.findall(r"^(?:FAILED|ERROR) (\S+)", text, re.MULTILINE)
            self.told = told[0] if told else f"exit {code}"
            return "SURVIVED" if code == 0 else "found"
        if text != self.heard:
            self.heard, self.heard_at = text, time.monotonic()
        elif time.monotonic() > self.heard_at + SILENT_SECONDS:
            os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.told = "no answer"
            return "found"
        return None


def sample(
    covered: Covering, at_import: Lines, order: Order, *, size: int, seed: int, only: str, what: str
) -> Iterator[Sampled]:
    """Faults of the code that tests cover."""
    texts = {path: Path(path).read_text() for path in sorted(covered) if path.split("/")[0] in PACKAGES}
    places = [place for path, text in texts.items() if re.search(only, path) for place in places_of(path, text)]
    random.Random(seed).shuffle(places)
    chosen = 0
    for place in places:
        if chosen == size:
            return
        tests = order(covers(place, texts[place.path], covered))
        fault = fault_at(place, texts[place.path])
        if tests and re.search(what, fault.name):
            yield chosen, fault, tests, at_import[place.path].isdisjoint(place.lines)
            chosen += 1


class Judge:
    """Runs faults, one after another on each database, and counts what becomes of them."""

    def __init__(self, urls: Sequence[str], ends_at: float) -> None:
        self.counts: Counter[str] = Counter()
        self.judged = 0
        self._free = list(enumerate(urls))
        self._runs: dict[int, Run] = {}
        self._ends_at = ends_at
        self._equivalent = tomllib.loads(EQUIVALENT.read_text())

    def judge(self, faults: Iterator[Sampled]) -> None:
        """Judge all of them, or as many as can be begun in time."""
        for number, fault, tests, loaded in faults:
            if fault.name in self._equivalent:
                self._note(number, fault, "equivalent", self._equivalent[fault.name])
                continue
            while not self._free:
                self._look()
            if time.monotonic() > self._ends_at:
                break
            self.judged = number + 1
            slot, url = self._free.pop(0)
            self._runs[slot] = Run(number, fault, tests, loaded, url, WORK / f"log{slot}")
            self._runs[slot].start()
        while self._runs:
            self._look()

    def _look(self) -> None:
        for slot, run in list(self._runs.items()):
            if (verdict := run.verdict()) is not None:
                del self._runs[slot]
                self._free.append((slot, run.url))
                told = f"{sum(map(len, run.tests))} tests" if verdict == "SURVIVED" else run.told
                self._note(run.number, run.fault, verdict, told)
        time.sleep(0.02)

    def _note(self, number: int, fault: Fault, verdict: str, told: str) -> None:
        self.counts[verdict] += 1
        print(f"{number:3} {verdict:10} {fault.name}  [{told}]", flush=True)
        with (WORK / "results.jsonl").open("a") as results:
            results.write(json.dumps({"verdict": verdict, "fault": fault.name, "told": told}) + "\n")


def main() -> None:
    """Print each fault with what found it, and how many were found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=200, help="how many faults")
    parser.add_argument("--seed", type=int, default=20241206)
    parser.add_argument("--only", default="", help="a regular expression of the modules' paths")
    parser.add_argument("--what", default="", help="a regular expression of what the faults are, such as 'ORDER BY'")
    parser.add_argument("--skip", type=int, default=0, help="leave out the first of the sample: to go on later")
    parser.add_argument("--seconds", type=float, default=86400.0, help="begin with no fault after so many")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many faults at a time")
    parser.add_argument(
        "--measure", default="", help="what changed since the last run: a regular expression of the tests' paths"
    )
    parser.add_argument(
        "--measured", action="store_true", help="what the tests cover has not changed since the last run"
    )
    options = parser.parse_args()
    if not options.measured:
        measure(options.measure)
    covered, at_import = covering()
    size, seed = options.sample, options.seed
    order = Order(covered, seconds())
    faults = sample(covered, at_import, order, size=size, seed=seed, only=options.only, what=options.what)
    load()
    with ExitStack() as stack:
        urls = [stack.enter_context(postgres()) for _ in range(options.jobs)]
        judge = Judge(urls, time.monotonic() + options.seconds)
        judge.judge(one for one in faults if one[0] >= options.skip)
    found, counts = judge.counts["found"], judge.counts
    print(f"{found} of {found + counts['SURVIVED']} faults were found; {counts['equivalent']} change nothing.")
    if judge.judged < options.sample:
        print(f"To go on: --skip {judge.judged}")


if __name__ == "__main__":
    main()
