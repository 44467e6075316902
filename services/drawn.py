"""What was drawn in a play, told again out of the tables: a query for each game, made from its descriptor.

A field of what was drawn is a column of the same name, of the part that was drawn or else of the log. Three are not: a
reward is three columns, the weights of a revision's parts are summed up, and a tuple is numbered columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.published import query_of, rows_of
from services.rules.game import Game

REWARD = "json_build_object('type', r.reward_type, 'amount', r.reward_amount, 'couponType', r.coupon_type)"

AT_THE_TIME = """
    (SELECT e.meta_json -> 'drawn' FROM user_event_log e
     WHERE e.user_id = p.user_id AND e.created_at = p.created_at AND e.event_name = 'PLAY'
        AND e.meta_json ->> 'playId' = p.id::text)::json"""


def drawn_of(game: Game[Any, Any]) -> str:
    """A query of what was drawn in the game's play `p`, as the JSON of its answer."""
    shown = game.drawn
    columns = (game.log.__table__.c if game.parts is None else query_of(game.parts).selected_columns).keys()
    names = zip(shown.__struct_encode_fields__, shown.__struct_fields__, strict=True)
    fields = ", ".join(f"'{encoded}', {_value(game, columns, name)}" for encoded, name in names)
    content = f"json_build_object('type', '{shown.__struct_config__.tag}', {fields})"
    if "stock" in shown.__struct_fields__:
        # What was in stock at the draw, and so its odds, only the play's event tells; the row tells how it is now.
        # Its labels in each language the event leaves to the row, which never changes them.
        content = f"coalesce(({AT_THE_TIME}::jsonb || jsonb_build_object('labels', r.labels))::json, {content})"
    return f"SELECT {content} FROM {_row(game)}"  # noqa: S608 (only the registry's names)


def _row(game: Game[Any, Any]) -> str:
    """The row `r` that tells what was drawn in the play `p`."""
    log = game.log.__tablename__
    if game.parts is None:
        return f"{log} r WHERE r.user_id = p.user_id AND r.id = p.id"
    part, key = rows_of(game.parts), game.parts.log_column
    joined = f"{log} g JOIN {part} r ON r.config_id = g.config_id AND r.id = g.{key}"
    return f"{joined} WHERE g.user_id = p.user_id AND g.id = p.id"


def _value(game: Game[Any, Any], columns: Sequence[str], name: str) -> str:
    """A field of what was drawn, out of the row `r` with these columns."""
    if name == "reward":
        return REWARD
    if name == "total_weight" and game.parts is not None:
        table = game.parts.table
        drawable = "s.config_id = r.config_id" + (" AND s.is_active" if "is_active" in columns else "")
        return f"(SELECT sum(s.weight) FROM {table.__tablename__} s WHERE {drawable})"  # noqa: S608 (a table's name)
    if name in columns:
        return f"r.{name}"
    numbered = [f"r.{column}" for column in columns if column.rstrip("0123456789") == f"{name}_"]
    assert numbered, f"the rows of {game.feature} have no column for {name}"
    return f"json_build_array({', '.join(numbered)})"
