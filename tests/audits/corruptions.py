"""A corruption for each check: what an insider changes, and the row at which it has to be found."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from tests.audits.insider import LAST_ID, Insider

Row = tuple[str, dict[str, Any]]
Corruption = Callable[[Insider], Awaitable[Row]]

CORRUPTIONS: dict[str, Corruption] = {}


def seeds(check: str) -> Callable[[Corruption], Corruption]:
    """This check has to find what the function changes, at the row that it returns, and no other check finds it."""

    def note(corruption: Corruption) -> Corruption:
        assert check not in CORRUPTIONS
        CORRUPTIONS[check] = corruption
        return corruption

    return note


def line(player: Any, number: int) -> Row:
    return "reward_ledger", {"user_id": str(player), "line_no": number}


def row(table: str, found: Any) -> Row:
    return table, {"id": str(found.id), "user_id": str(found.user_id)}


LAST_OF = "SELECT * FROM {} WHERE user_id = $1 ORDER BY created_at DESC, play_no DESC LIMIT 1"


@seeds("ledger.numbers")
async def a_number_is_left_out(insider: Insider) -> Row:
    carol = await insider.player("carol")
    last = await insider.row('UPDATE "user" SET ledger_lines = ledger_lines + 1 WHERE id = $1 RETURNING *', carol)
    changed = "UPDATE reward_ledger SET line_no = line_no + 1 WHERE user_id = $1 AND line_no = $2"
    await insider.run(changed, carol, last.ledger_lines - 1)
    await insider.chain(carol)
    return line(carol, last.ledger_lines)


@seeds("ledger.hashes")
async def a_hash_is_another(insider: Insider) -> Row:
    carol = await insider.player("carol")
    newest = "SELECT max(line_no) FROM reward_ledger WHERE user_id = $1"
    changed = f"UPDATE reward_ledger SET hash = sha256(hash) WHERE user_id = $1 AND line_no = ({newest}) RETURNING *"
    last = await insider.row(changed, carol)
    await insider.run('UPDATE "user" SET ledger_hash = $1 WHERE id = $2', last.hash, carol)
    return line(carol, last.line_no)


@seeds("ledger.heads")
async def an_account_counts_one_line_more(insider: Insider) -> Row:
    carol = await insider.player("carol")
    await insider.run('UPDATE "user" SET ledger_lines = ledger_lines + 1 WHERE id = $1', carol)
    return "user", {"id": str(carol)}


@seeds("ledger.sums")
async def a_line_says_a_greater_balance(insider: Insider) -> Row:
    carol = await insider.player("carol")
    newest = "SELECT max(line_no) FROM reward_ledger WHERE user_id = $1 AND reward_type = 'POINT'"
    raised = f"UPDATE reward_ledger SET balance_after = balance_after + 7 WHERE user_id = $1 AND line_no = ({newest})"
    last = await insider.row(f"{raised} RETURNING *", carol)
    await insider.run("UPDATE reward_balance SET amount = amount + 7 WHERE user_id = $1", carol)
    await insider.chain(carol)
    return line(carol, last.line_no)


@seeds("ledger.balances")
async def a_balance_is_greater(insider: Insider) -> Row:
    carol = await insider.player("carol")
    await insider.run("UPDATE reward_balance SET amount = amount + 7 WHERE user_id = $1", carol)
    return "reward_balance", {"user_id": str(carol), "reward_type": "POINT"}


@seeds("ledger.causes")
async def a_line_is_added(insider: Insider) -> Row:
    carol = await insider.player("carol")
    number = await insider.add_line(carol, "DICE_PLAY", uuid4(), 1000, dt.datetime(2026, 3, 4, 5, tzinfo=dt.UTC))
    return line(carol, number)


@seeds("ledger.grants")
async def a_line_is_removed(insider: Insider) -> Row:
    carol = await insider.player("carol")
    level = await insider.row("SELECT * FROM season_pass_reward_log WHERE user_id = $1", carol)
    gone = await insider.row("SELECT line_no FROM reward_ledger WHERE cause_id = $1", level.id)
    await insider.remove_line(carol, gone.line_no)
    return row("season_pass_reward_log", level)


@seeds("plays.dates")
async def an_event_is_dated_back(insider: Insider) -> Row:
    moved = "UPDATE user_event_log SET business_date = business_date - 1"
    last = "(SELECT max(created_at) FROM user_event_log WHERE event_name = 'REWARD_GRANT')"
    return row("user_event_log", await insider.row(f"{moved} WHERE created_at = {last} RETURNING *"))


@seeds("plays.numbers")
async def a_play_is_left_out(insider: Insider) -> Row:
    alice = await insider.player("alice")
    play = await insider.row(LAST_OF.format("lottery_log"), alice)
    await insider.run("UPDATE lottery_log SET play_no = play_no + 1 WHERE id = $1", play.id)
    await insider.tell(alice, "PLAY", "playId", play.id, playNo=play.play_no + 1)
    await insider.answer(alice, play.id, "dailyLimit,used", play.play_no + 1)
    return row("lottery_log", play)


@seeds("plays.limits")
async def a_limit_is_lifted_for_one(insider: Insider) -> Row:
    alice = await insider.player("alice")
    play = await insider.row(LAST_OF.format("dice_log"), alice)
    await insider.run("UPDATE dice_log SET daily_max = 100 WHERE id = $1", play.id)
    await insider.answer(alice, play.id, "dailyLimit,max", 100)
    return row("dice_log", play)


@seeds("plays.days")
async def a_play_is_added_on_another_day(insider: Insider) -> Row:
    alice = await insider.player("alice")
    play = await insider.row(LAST_OF.format("dice_log"), alice)
    later = {"business_date": play.business_date + dt.timedelta(2), "created_at": play.created_at + dt.timedelta(2)}
    copy = await insider.copy_play(play, "dice_log", play_no=1, **later)
    await insider.add_line(alice, "DICE_PLAY", copy, play.reward_amount, later["created_at"])
    return "dice_log", {"user_id": str(alice), "id": str(copy)}


@seeds("plays.revisions")
async def a_play_is_by_the_next_revision(insider: Insider) -> Row:
    """Both give the same, of the same stock."""
    first = "SELECT * FROM lottery_log ORDER BY created_at LIMIT 1"
    play = await insider.row(first)
    of = "SELECT p.* FROM lottery_prize p JOIN lottery_config c ON c.id = p.config_id WHERE c.revision = 3"
    prize = await insider.row(of)
    moved = "UPDATE lottery_log SET config_id = $1, prize_id = $2 WHERE id = $3"
    await insider.run(moved, prize.config_id, prize.id, play.id)
    await insider.tell(play.user_id, "PLAY", "playId", play.id, revisionId=prize.config_id)
    await insider.answer(play.user_id, play.id, "drawn,id", prize.id)
    return row("lottery_log", play)


@seeds("plays.outcomes")
async def a_win_is_worth_more(insider: Insider) -> Row:
    play = await insider.row("SELECT * FROM dice_log ORDER BY created_at LIMIT 1")
    await insider.run("UPDATE dice_log SET reward_amount = 5000 WHERE id = $1", play.id)
    await insider.run("UPDATE reward_ledger SET amount = 5000 WHERE cause_id = $1", play.id)
    await insider.tell(play.user_id, "PLAY", "playId", play.id, reward={"type": "POINT", "amount": 5000})
    await insider.forge(play.user_id)
    return row("dice_log", play)


@seeds("stocks.counters")
async def one_more_is_left(insider: Insider) -> Row:
    stock = await insider.row('SELECT max(id) AS id FROM lottery_stock WHERE "left" < initial')
    await insider.run('UPDATE lottery_stock SET "left" = "left" + 1 WHERE id = $1', stock.id)
    return "lottery_stock", {"id": stock.id}


@seeds("stocks.amounts")
async def five_more_are_laid_in_untold(insider: Insider) -> Row:
    stock = await insider.row('SELECT max(id) AS id FROM lottery_stock WHERE "left" < initial')
    await insider.run('UPDATE lottery_stock SET "left" = "left" + 5, initial = initial + 5 WHERE id = $1', stock.id)
    return "lottery_stock", {"id": stock.id}


@seeds("stocks.adjustments")
async def one_more_was_added_than_is_told(insider: Insider) -> Row:
    changed = await insider.row("UPDATE lottery_adjustment SET by = by + 1 RETURNING *")
    return "lottery_adjustment", {"id": changed.id}


@seeds("coupons.given")
async def somebody_waits_no_longer(insider: Insider) -> Row:
    gone = "DELETE FROM coupon_waiting WHERE id = (SELECT max(id) FROM coupon_waiting) RETURNING *"
    waiting = await insider.row(gone)
    return line(waiting.user_id, waiting.line_no)


@seeds("coupons.codes")
async def a_code_of_another_type_was_given(insider: Insider) -> Row:
    given = "SELECT min(id) FROM coupon_code WHERE coupon_type = 'TEA' AND line_no IS NOT NULL"
    code = await insider.row(f"UPDATE coupon_code SET coupon_type = 'COFFEE' WHERE id = ({given}) RETURNING *")
    return "coupon_code", {"id": code.id}


@seeds("coupons.lines")
async def a_code_goes_to_another_grant(insider: Insider) -> Row:
    """Who waited for it waits on, and another grant of the same player has it."""
    code = await insider.row("SELECT * FROM coupon_code WHERE code = 'tea 4'")
    other = await insider.row("SELECT * FROM coupon_waiting WHERE user_id = $1 ORDER BY id LIMIT 1", code.user_id)
    await insider.run("UPDATE coupon_waiting SET line_no = $1 WHERE id = $2", code.line_no, other.id)
    await insider.run("UPDATE coupon_code SET line_no = $1 WHERE id = $2", other.line_no, code.id)
    return "coupon_code", {"id": code.id}


@seeds("coupons.once")
async def a_code_is_there_again(insider: Insider) -> Row:
    await insider.set_aside("coupon_code", "uq_coupon_code_code")
    copied = "SELECT coupon_type, code, imported_at FROM coupon_code WHERE coupon_type = 'COFFEE' ORDER BY id LIMIT 1"
    copy = await insider.row(f"INSERT INTO coupon_code (coupon_type, code, imported_at) {copied} RETURNING id")
    return "coupon_code", {"id": copy.id}


@seeds("coupons.waiting")
async def somebody_waits_for_what_is_there(insider: Insider) -> Row:
    last = "SELECT max(id) FROM coupon_waiting"
    waiting = await insider.row(f"UPDATE coupon_waiting SET coupon_type = 'COFFEE' WHERE id = ({last}) RETURNING id")
    return "coupon_waiting", {"id": waiting.id}


RANKING = "ranking_daily WHERE date = '2025-06-01'"


@seeds("rankings.numbers")
async def a_snapshot_is_left_out(insider: Insider) -> Row:
    await insider.set_aside("ranking_daily", "fk_ranking_daily_date_revision")
    await insider.run("UPDATE ranking_revision SET revision = 3 WHERE date = '2025-06-01' AND revision = 2")
    await insider.connection.exec_driver_sql("UPDATE ranking_daily SET revision = 3 WHERE date = '2025-06-01'")
    return "ranking_revision", {"date": "2025-06-01", "revision": 3}


@seeds("rankings.newest")
async def a_row_is_of_the_snapshot_before(insider: Insider) -> Row:
    await insider.run("UPDATE ranking_daily SET revision = 1 WHERE date = '2025-06-01' AND rank = 1")
    return "ranking_daily", {"date": "2025-06-01", "rank": 1}


@seeds("rankings.contents")
async def a_score_is_better(insider: Insider) -> Row:
    await insider.run("UPDATE ranking_daily SET score = 71 WHERE date = '2025-06-01' AND rank = 2")
    return "ranking_revision", {"date": "2025-06-01", "revision": 2}


@seeds("staff.changes")
async def a_title_is_another(insider: Insider) -> Row:
    changed = "UPDATE feature_config SET title = 'Bingo' WHERE feature_type = 'LOTTERY' RETURNING id"
    return "feature_config", {"id": (await insider.row(changed)).id}


@seeds("staff.blocked")
async def somebody_is_let_in_again(insider: Insider) -> Row:
    carol = await insider.player("carol")
    await insider.run('UPDATE "user" SET is_blocked = false WHERE id = $1', carol)
    return "user", {"id": str(carol)}


@seeds("integrity.rules")
async def a_path_leads_elsewhere(insider: Insider) -> Row:
    await insider.set_aside("feature_config", "ck_feature_config_page_path")
    changed = "UPDATE feature_config SET page_path = 'https://elsewhere' WHERE feature_type = 'DICE' RETURNING id"
    return "feature_config", {"id": (await insider.row(changed)).id}


@seeds("integrity.references")
async def nobody_did_it(insider: Insider) -> Row:
    await insider.set_aside("audit_log", "fk_audit_log_actor_id")
    changed = "UPDATE audit_log SET actor_id = $1 WHERE id = (SELECT max(id) FROM audit_log) RETURNING id"
    return "audit_log", {"id": (await insider.row(changed, LAST_ID)).id}


@seeds("answers.plays")
async def an_answer_tells_of_more(insider: Insider) -> Row:
    alice = await insider.player("alice")
    play = await insider.row(LAST_OF.format("dice_log"), alice)
    await insider.answer(alice, play.id, "reward,amount", 999)
    key = await insider.row("SELECT key FROM idempotency_key WHERE answer ->> 'id' = $1", str(play.id))
    return "idempotency_key", {"user_id": str(alice), "key": key.key}


async def changed_answer(insider: Insider, kind: str, path: str, value: Any) -> Row:
    changed = await insider.row(
        f"UPDATE idempotency_key SET answer = jsonb_set(answer::jsonb, '{{{path}}}', $1)::json WHERE (user_id, key) ="
        " (SELECT user_id, key FROM idempotency_key WHERE starts_with(request, $2) ORDER BY key LIMIT 1) RETURNING *",
        *(json.dumps(value), kind),
    )
    return "idempotency_key", {"user_id": str(changed.user_id), "key": changed.key}


@seeds("answers.claims")
async def a_claim_tells_of_more(insider: Insider) -> Row:
    return await changed_answer(insider, "claim:", "levelReward,reward,amount", 999)


@seeds("answers.stamps")
async def a_stamp_tells_of_more_xp(insider: Insider) -> Row:
    return await changed_answer(insider, "stamp:", "receipt,currentXp", 999)


@seeds("answers.grants")
async def a_grant_names_another_line(insider: Insider) -> Row:
    return await changed_answer(insider, "grant:", "line_no", 999)


@seeds("answers.kept")
async def a_key_is_forgotten(insider: Insider) -> Row:
    alice = await insider.player("alice")
    play = await insider.row(LAST_OF.format("dice_log"), alice)
    await insider.run("DELETE FROM idempotency_key WHERE answer ->> 'id' = $1", str(play.id))
    return row("dice_log", play)
