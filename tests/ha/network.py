"""Machines that are network namespaces at one switch, and cuts between two of them.

The whole run has a network, mounts and processes of its own (`apart`): what it makes is gone when it ends, however it
ends, and the machine that it runs on is not touched.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

SWITCH = "switch"
HERE = "10.0.0.1"
"""Where players are: this process."""

UNSHARED = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


def apart(*arguments: str) -> NoReturn:
    """Go on as this module's package, with these arguments, in namespaces of its own."""
    os.execvp(UNSHARED[0], [*UNSHARED, sys.executable, "-m", __package__ or "", *arguments])


def run(*command: str) -> None:
    """Run a command of the system's. Raises: CalledProcessError."""
    subprocess.run(command, check=True)


def lay(machines: Mapping[str, str]) -> None:
    """Make the switch, and machines by their names with these addresses."""
    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "add", "name", SWITCH, "type", "bridge")
    run("ip", "address", "add", f"{HERE}/24", "dev", SWITCH)
    run("ip", "link", "set", SWITCH, "up")
    for name, address in machines.items():
        run("ip", "netns", "add", name)
        run("ip", "link", "add", "name", name, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", name, "master", SWITCH, "up")
        run("ip", "-netns", name, "address", "add", f"{address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            run("ip", "-netns", name, "link", "set", device, "up")


@contextmanager
def cut(one: str, other: str) -> Iterator[None]:
    """Let nothing through between two machines meanwhile: what is sent is lost, and nobody is told."""
    for name in (one, other):
        run("ip", "link", "set", name, "type", "bridge_slave", "isolated", "on")
    try:
        yield
    finally:
        for name in (one, other):
            run("ip", "link", "set", name, "type", "bridge_slave", "isolated", "off")
