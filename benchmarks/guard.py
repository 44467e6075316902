"""`python -m benchmarks.guard`: what the worst documents cost before they run, or before they are refused.

A document is parsed, guarded, validated, measured and kept once; these are its cold costs.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import click

from benchmarks.report import markdown
from resolvers.schema import schema
from server.graphql.documents import Documents, InvalidDocument
from server.graphql.limits import GraphQLLimits
from services.errors import HaruError

DEPTH = 60
SELECTION = "{ id externalId isBlocked createdAt balances { type amount } }"
VARIABLES = {"first": 100}


def doubled_fragments() -> str:
    """Each fragment spreads the next one twice: 2^n fields of few tokens."""
    last = f"fragment F{DEPTH} on Query {{ me {{ id }} }}"
    middle = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(DEPTH))
    return f"{{ ...F0 }}{middle}{last}"


def rows_of_rows(inner: int) -> str:
    """A page of as many rows as a variable tells, in each a page of `inner`, in each of those 14 resolvers."""
    resolvers = " ".join(f"a{n}: player {{ __typename }}" for n in range(14))
    rows = f"nodes {{ player {{ events(first: {inner}) {{ nodes {{ {resolvers} }} }} }} }}"
    return f"query ($first: Int!) {{ me {{ events(first: $first) {{ {rows} }} }} }}"


DOCUMENTS: dict[str, Callable[[], str]] = {
    "accepted: 15 aliases of a whole player": lambda: "{" + " ".join(f"a{n}: me {SELECTION}" for n in range(15)) + "}",
    "accepted: 190 fields": lambda: "{" + " ".join(["me { " + "id " * 19 + "}"] * 9) + "}",
    "accepted: 100 rows of 3 rows of 14 players": lambda: rows_of_rows(3),
    "refused: 100 rows of 100 rows of 14 players": lambda: rows_of_rows(100),
    "refused: doubled fragments": doubled_fragments,
    "refused: 16 aliases": lambda: "{" + " ".join(f"a{n}: me {{ id }}" for n in range(16)) + "}",
    "refused: one token too many": lambda: "{ me { " + "id " * 600 + "} }",
    "refused: 30,000 levels deep": lambda: "{a" * 30_000,
    "refused: 60 directives": lambda: "{ me " + "@include(if: true) " * 60 + "{ id } }",
    "refused: a literal 90 levels deep": lambda: (
        "mutation { issueToken(input: " + "{externalId: " * 90 + "1" + "}" * 90 + ") { __typename } }"
    ),
    "refused: 190 unknown fields": lambda: "{ " + " ".join(f"x{n}" for n in range(190)) + " }",
}


def milliseconds(documents: Documents, text: str) -> tuple[float, str]:
    """The CPU-milliseconds of preparing a document, and how it ended."""
    start = time.process_time()
    try:
        documents.prepare(text).operation(None, VARIABLES)
        ended = "accepted"
    except HaruError as refusal:
        ended = refusal.code
    except InvalidDocument:
        ended = "invalid"
    return 1000 * (time.process_time() - start), ended


@click.command()
@click.option("--rounds", default=20, show_default=True, help="How often each document is prepared anew.")
def main(rounds: int) -> None:
    """Measure the documents."""
    rows: list[tuple[str, ...]] = []
    for name, make in DOCUMENTS.items():
        text, costs, ended = make(), [], ""
        for _ in range(rounds):
            documents = Documents(schema, limits=GraphQLLimits(), hide_suggestions=True, cache_size=4)
            cost, ended = milliseconds(documents, text)
            costs.append(cost)
        rows.append((name, f"{len(text):,}", ended, f"{sorted(costs)[rounds // 2]:.2f}", f"{max(costs):.2f}"))
    click.echo(markdown(("document", "bytes", "ends as", "median ms", "worst ms"), rows))


if __name__ == "__main__":
    main()
