"""The entry of the `haru` command, in the checkout and in a wheel.

A wheel keeps the checkout's folders in one package, and this file is its `__init__`: `haru/server`, `haru/models` and
so on. In a shared environment nothing but the name `haru` is taken, and whoever runs haru finds its own folders first.
"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
"""What holds haru's packages, its migrations and its pages: the checkout, or the installed package."""


def main() -> None:
    """Run the command; `haru --help` lists what it does."""
    sys.path.insert(0, str(FOLDER))
    from server.cli.main import main as command  # noqa: PLC0415 (it is found only now)

    command()
