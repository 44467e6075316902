"""The odds as a page of text, in Korean and English, without a script: pure functions of what was read.

A revision's own page is a function of the revision alone, so it is the same, byte for byte, whenever it is asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785

from models import FeatureType, Language, RewardType
from server.pages.words import GAMES, WORDS, Words
from services.answers import Reward, Texts
from services.odds import GameOdds
from services.rules.game import Game, Rules
from services.rules.hashes import content_of
from services.rules.odds import Item

KO, EN = Language.KO, Language.EN
FOR_PROGRAMS = '<a href="/odds.json">/odds.json</a>, <a href="/draws.json">/draws.json</a>'
PLACES = 10
"""Decimal places within which a percentage is written exactly."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1rem; margin-bottom: .25rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { border-bottom: 1px solid #8886; padding: .375rem .5rem .375rem 0; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
pre { white-space: pre-wrap; border: 1px solid #8886; padding: .5rem; font-size: .8125rem; }
.note { border-left: .25rem solid #c60; padding-left: .75rem; }
.small { font-size: .875rem; }
@media (max-width: 35rem) {
  thead { position: absolute; clip-path: inset(50%); }
  tr { display: block; border-bottom: 1px solid #8886; padding: .375rem 0; }
  td, td.n { display: flex; justify-content: space-between; gap: 1rem; border: 0; padding: .125rem 0; }
  td { text-align: right; }
  td::before { content: attr(data-of); font-weight: 600; text-align: left; flex: none; }
}
""".strip()


def canonical(game: Game[Any, Any], rules: Rules) -> bytes:
    """What a revision says, in the very bytes that its hash is of."""
    return rfc8785.dumps(content_of(game, rules))


def percent(share: Fraction) -> str:
    """A chance in percent, after a sign: exact where it ends within ten places, else rounded to eight, never to 0."""
    scaled = share * 100 * 10**PLACES
    if scaled.denominator == 1:
        whole, rest = divmod(scaled.numerator, 10**PLACES)
        return f"= {whole}.{rest:0{PLACES}}".rstrip("0").rstrip(".") + " %"
    return f"≈ {float(share * 100):.8f} %"


def fraction(item: Item) -> str:
    """A chance as it is drawn: weight out of total."""
    return f"{item.weight} / {item.total_weight}"


def sheet_page(game: Game[Any, Any], rules: Rules, zone: ZoneInfo) -> str:
    """The page of one revision, in both languages."""
    parts = [
        f"<h1>{escape(GAMES[game.feature][KO])} · {escape(GAMES[game.feature][EN])} · {rules.revision}</h1>",
        *(_sheet(rules, zone, WORDS[language], language) for language in (KO, EN)),
        f'<h2>{rules.hash}</h2><p lang="ko">{WORDS[KO].proof}</p><p lang="en">{WORDS[EN].proof}</p>',
        f'<p><a href="/odds/{rules.hash}.json">{rules.hash}.json</a></p>',
        f"<pre>{escape(canonical(game, rules).decode())}</pre>",
    ]
    return _document(KO, f"{rules.hash[:12]} · haru", "".join(parts))


def overview_page(
    odds: Sequence[GameOdds], today: FeatureType | None, now: dt.datetime, zone: ZoneInfo, language: Language
) -> str:
    """The page of all games: what is on, what is announced, what was."""
    words = WORDS[language]
    switch = '<p><a href="?lang=ko" lang="ko">한국어</a> · <a href="?lang=en" lang="en">English</a></p>'
    on = GAMES[today][language] if today in GAMES else words.nothing
    head = (
        f"<h1>{words.title}</h1>{switch}<p>{words.asked}: {_time(now, zone)}</p>"
        f"<p>{words.today}: <b>{escape(on)}</b></p>"
    )
    sections = "".join(_game(one, zone, words, language) for one in odds)
    return _document(language, f"{words.title} · haru", f"{head}{sections}<p>{words.more} {FOR_PROGRAMS}</p>")


def _game(one: GameOdds, zone: ZoneInfo, words: Words, language: Language) -> str:
    feature = one.game.feature
    current = f"<p>{words.nothing}</p>" if one.current is None else _current(one.current, zone, words, language)
    announced = "".join(_announced(rules, zone, words, language) for rules in one.announced) or f"<p>{words.none}</p>"
    played = "".join(
        f'<tr><td data-of="{words.since}">{_time(stretch.since, zone)}</td>'
        f'<td data-of="{words.until}">{_time(stretch.until, zone, words.now)}</td>'
        f'<td data-of="{words.sheet}">{_link(stretch.rules)}</td></tr>'
        for stretch in one.played
    )
    was = _table((words.since, words.until, words.sheet), (), played) if played else f"<p>{words.none}</p>"
    return (
        f'<section id="{feature.lower()}"><h2>{escape(GAMES[feature][language])}</h2>'
        f"<h3>{words.is_on}</h3>{current}<h3>{words.is_announced}</h3>{announced}<h3>{words.was}</h3>{was}</section>"
    )


def _current(rules: Rules, zone: ZoneInfo, words: Words, language: Language) -> str:
    now = rules.items(rules.stocks())
    columns = (words.item, words.reward, words.chance, words.quantity, words.left, words.chance_now)
    rows = "".join(
        "<tr>"
        + _cells(
            {
                **_told(item, words, language),
                words.left: _count(left.left, words),
                words.chance_now: f"{fraction(left)} {percent(left.share)}",
            },
            columns[2:],
        )
        + "</tr>"
        for item, left in zip(rules.items(), now, strict=True)
    )
    return f"<p>{_facts(rules, zone, words, language)}<br>{_link(rules)}</p>{_table(columns, columns[2:], rows)}"


def _announced(rules: Rules, zone: ZoneInfo, words: Words, language: Language) -> str:
    return (
        f'<div class="note"><p>{_facts(rules, zone, words, language)}<br>{_link(rules)}</p>'
        f"{_items(rules, words, language)}</div>"
    )


def _sheet(rules: Rules, zone: ZoneInfo, words: Words, language: Language) -> str:
    return (
        f'<section lang="{language.lower()}"><h2>{words.title}</h2><p>{_facts(rules, zone, words, language)}</p>'
        f"{_items(rules, words, language)}</section>"
    )


def _items(rules: Rules, words: Words, language: Language) -> str:
    columns = (words.item, words.reward, words.chance, words.quantity)
    rows = "".join(f"<tr>{_cells(_told(item, words, language), columns[2:])}</tr>" for item in rules.items())
    return _table(columns, columns[2:], rows)


def _told(item: Item, words: Words, language: Language) -> dict[str, str]:
    return {
        words.item: _text(item.label, item.labels, language),
        words.reward: reward_text(item.reward, words),
        words.chance: f"{fraction(item)} {percent(item.share)}",
        words.quantity: _count(item.quantity, words),
    }


def _facts(rules: Rules, zone: ZoneInfo, words: Words, language: Language) -> str:
    cost = next((rules.cost[one] for one in (language, *Language) if one in rules.cost), words.free)
    facts = {
        words.revision: str(rules.revision),
        words.announced: _time(rules.published_at, zone),
        words.since: _time(rules.effective_from, zone),
        words.until: _time(rules.effective_until, zone, words.open_end),
        words.cost: cost,
        words.notice: words.hours.format(rules.notice_hours),
    }
    told = "<br>".join(f"{name}: {escape(value)}" for name, value in facts.items())
    if rules.emergency_reason is not None:
        told += f"<br><b>{words.emergency}: {escape(rules.emergency_reason)}</b>"
    return told


def reward_text(reward: Reward, words: Words) -> str:
    """What a reward is, in words."""
    if not reward.grants:
        return words.no_reward
    name = words.rewards[reward.type]
    return f"{name} {reward.coupon_type}" if reward.type is RewardType.COUPON else f"{reward.amount:,} {name}"


def _text(own: str, translations: Texts, language: Language) -> str:
    return translations.get(language, own)


def _count(value: int | None, words: Words) -> str:
    return words.unlimited if value is None else f"{value:,}"


def _time(instant: dt.datetime | None, zone: ZoneInfo, otherwise: str = "") -> str:
    """An instant on the event's clocks, with their distance from UTC."""
    return otherwise if instant is None else instant.astimezone(zone).isoformat(sep=" ", timespec="seconds")


def _link(rules: Rules) -> str:
    return f'<a href="/odds/{rules.hash}">{rules.hash[:12]}…</a>'


def _cells(values: Mapping[str, str], numbers: Iterable[str]) -> str:
    numeric = set(numbers)
    return "".join(
        f'<td{" class=n" if name in numeric else ""} data-of="{escape(name)}">{escape(value)}</td>'
        for name, value in values.items()
    )


def _table(columns: Sequence[str], numbers: Iterable[str], rows: str) -> str:
    numeric = set(numbers)
    head = "".join(f"<th scope=col{' class=n' if name in numeric else ''}>{escape(name)}</th>" for name in columns)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _document(language: Language, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{language.lower()}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
