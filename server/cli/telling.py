"""How commands tell what they did: to people, to programs, to a terminal that looks on, and by their exit code.

The exit codes of every command: 0, it is done, and nothing is wrong; 1, it was refused or failed, or it found faults;
2, the command line is wrong, or a command that looks for faults could not look.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

SOON_SECONDS = 1.0
"""What takes longer tells that it is under way."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value, for programs.")


class CouldNotLookError(click.ClickException):
    """What keeps a command from looking ends it with a status of its own: nobody may take that for a fault found."""

    exit_code = 2


@contextmanager
def looking() -> Iterator[None]:
    """Within it, what goes wrong is that the command could not look."""
    try:
        yield
    except click.ClickException as failed:
        raise CouldNotLookError(failed.message) from None


def print_json(value: Any) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False))


def watched() -> bool:
    """Whether a terminal shows what is written beside the answer."""
    return sys.stderr.isatty()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Show a terminal that looks on what is under way, and for how long, once it takes more than a second."""
    done = threading.Event()

    def show() -> None:
        began = time.monotonic()
        while not done.wait(SOON_SECONDS):
            click.echo(f"\r{what} ... {time.monotonic() - began:.0f} s", nl=False, err=True)

    if not watched():
        yield
        return
    shown = threading.Thread(target=show, name="working", daemon=True)
    shown.start()
    try:
        yield
    finally:
        done.set()
        shown.join()
        click.echo("\r\x1b[K", nl=False, err=True, color=True)
