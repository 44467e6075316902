"""A whole play as one SQL statement: what haru's figures are held against.

It reads what a play must know and writes the very rows that haru writes, with random draws and level-ups; it has no
replay, no daily limit and no useful error. pgbench runs it prepared, planned once, with the planner settings of haru's
own hot connections. Each client keeps to players of its own, because two such statements on one player would fail.
(pgbench takes every colon for a variable, even inside of a text: hence `chr(58)`.)

Peers run the same statement, which then also tells what a client asks for; they try again where two met.
"""

from __future__ import annotations

from collections.abc import Mapping

DRAWS = {
    "DICE": """
rolled AS MATERIALIZED (
    SELECT 1 + floor(random() * 6)::int AS u1, 1 + floor(random() * 6)::int AS u2,
        1 + floor(random() * 6)::int AS d1, 1 + floor(random() * 6)::int AS d2
), drawn AS MATERIALIZED (
    SELECT c.id AS config_id, r.*,
        CASE sign(u1 + u2 - d1 - d2) WHEN 1 THEN 'WIN' WHEN 0 THEN 'DRAW' ELSE 'LOSE' END AS outcome,
        CASE sign(u1 + u2 - d1 - d2) WHEN 1 THEN win_reward_type WHEN 0 THEN draw_reward_type
            ELSE lose_reward_type END AS reward_type,
        CASE sign(u1 + u2 - d1 - d2) WHEN 1 THEN win_reward_amount WHEN 0 THEN draw_reward_amount
            ELSE lose_reward_amount END AS reward_amount,
        CASE sign(u1 + u2 - d1 - d2) WHEN 1 THEN win_coupon_type WHEN 0 THEN draw_coupon_type
            ELSE lose_coupon_type END AS coupon_type
    FROM {in_force} c, rolled r
)""",
    "ROULETTE": """
point AS MATERIALIZED (SELECT random() AS at),
drawn AS MATERIALIZED (
    SELECT s.* FROM point, (
        SELECT s.config_id, s.id AS segment_id, s.reward_type, s.reward_amount, s.coupon_type,
            sum(s.weight) OVER (ORDER BY s.slot) AS bound, sum(s.weight) OVER () AS total
        FROM roulette_segment s JOIN {in_force} c ON c.id = s.config_id) s
    WHERE s.bound > point.at * s.total ORDER BY s.bound LIMIT 1
)""",
    "LOTTERY": """
point AS MATERIALIZED (SELECT random() AS at),
drawn AS MATERIALIZED (
    SELECT p.* FROM point, (
        SELECT p.config_id, p.id AS prize_id, p.stock_id, p.reward_type, p.reward_amount, p.coupon_type,
            sum(p.weight) OVER (ORDER BY p.position) AS bound, sum(p.weight) OVER () AS total
        FROM lottery_prize p JOIN {in_force} c ON c.id = p.config_id LEFT JOIN lottery_stock s ON s.id = p.stock_id
        WHERE p.is_active AND (s.id IS NULL OR s."left" > 0)) p
    WHERE p.bound > point.at * p.total ORDER BY p.bound LIMIT 1
), taken AS (
    UPDATE lottery_stock s SET "left" = s."left" - 1 FROM drawn WHERE s.id = drawn.stock_id
)""",
}
"""What each game draws: a row `drawn` with a reward."""

IN_FORCE = """(
        SELECT c.* FROM {game}_config c
        WHERE c.effective_from <= now() AND (c.effective_until IS NULL OR c.effective_until > now())
            AND NOT EXISTS (SELECT FROM {game}_withdrawal w WHERE w.config_id = c.id)
        ORDER BY c.effective_from DESC, c.revision DESC LIMIT 1)"""
"""The game's revision that is played now."""

LOGS = {
    "DICE": (
        "dice_log",
        "config_id, user_dice_1, user_dice_2, dealer_dice_1, dealer_dice_2, outcome, drawn_from, rolls",
        "d.config_id, d.u1, d.u2, d.d1, d.d2, d.outcome, '{{6,6,6,6}}'::integer[],"
        " ARRAY[d.u1 - 1, d.u2 - 1, d.d1 - 1, d.d2 - 1]::integer[]",
    ),
    "ROULETTE": (
        "roulette_log",
        "config_id, segment_id, drawn_from, rolls",
        "d.config_id, d.segment_id, ARRAY(SELECT s.weight::integer FROM roulette_segment s"
        " WHERE s.config_id = d.config_id ORDER BY s.slot), '{{0}}'::integer[]",
    ),
    "LOTTERY": (
        "lottery_log",
        "config_id, prize_id, draw_no, drawn_from, rolls",
        "d.config_id, d.prize_id, haru_number_draws({date}, 1, '{{}}', '{{}}') + 1, ARRAY(SELECT z.weight::integer"
        " FROM lottery_prize z WHERE z.config_id = d.config_id ORDER BY z.position), '{{0}}'::integer[]",
    ),
}
"""Each game's log, its own columns, and their values."""

CAUSES = {"DICE": "DICE_PLAY", "ROULETTE": "ROULETTE_SPIN", "LOTTERY": "LOTTERY_DRAW"}

PLAY = """
WITH RECURSIVE today AS MATERIALIZED (
    SELECT d.feature_type, s.id AS season_id, s.base_xp_per_stamp + f.stamp_xp_bonus AS xp
    FROM feature_schedule d JOIN feature_config f ON f.feature_type = d.feature_type
    JOIN season_pass_config s ON d.date BETWEEN s.start_date AND s.end_date
    WHERE d.date = {date} AND d.is_active AND f.is_enabled AND d.feature_type = '{game}'
), {draw}, player AS MATERIALIZED (
    SELECT u.id AS user_id, u.ledger_lines, u.ledger_hash, t.season_id, t.xp, gen_random_uuid() AS play_id, now() AS at,
        gen_random_uuid() AS stamp_id, coalesce(p.id, gen_random_uuid()) AS progress_id,
        coalesce(p.current_xp, 0) AS xp_before, coalesce(p.current_level, 0) AS level_before,
        coalesce(p.total_stamps, 0) AS stamps,
        (SELECT max(l.level) FROM season_pass_level l
         WHERE l.season_id = t.season_id AND l.required_xp <= coalesce(p.current_xp, 0) + t.xp) AS level_after,
        1 + (SELECT coalesce(max(l.play_no), 0) FROM {log} l
             WHERE l.user_id = u.id AND l.business_date = {date}) AS play_no,
        NOT EXISTS (SELECT FROM season_pass_stamp_log s WHERE s.user_id = u.id AND s.season_id = t.season_id
                    AND s.date = {date}) AS stamps_now
    FROM today t CROSS JOIN "user" u
    LEFT JOIN season_pass_progress p ON p.user_id = u.id AND p.season_id = t.season_id
    WHERE u.id = {player} AND NOT u.is_blocked
), played AS (
    INSERT INTO {log} (user_id, id, business_date, play_no, daily_max, reward_type, reward_amount, coupon_type,
        created_at, {columns})
    SELECT p.user_id, p.play_id, {date}, p.play_no, 0, d.reward_type, d.reward_amount, d.coupon_type, p.at,
        {drawn}
    FROM player p, drawn d
), progress AS (
    INSERT INTO season_pass_progress AS s (user_id, id, season_id, current_xp, current_level, total_stamps,
        last_stamp_date, created_at, updated_at)
    SELECT user_id, progress_id, season_id, xp_before + xp, coalesce(level_after, 0), stamps + 1, {date}, at, at
    FROM player WHERE stamps_now
    ON CONFLICT (user_id, season_id) DO UPDATE SET current_xp = excluded.current_xp,
        current_level = excluded.current_level, total_stamps = excluded.total_stamps,
        last_stamp_date = excluded.last_stamp_date, updated_at = excluded.updated_at
), stamped AS (
    INSERT INTO season_pass_stamp_log (user_id, id, season_id, progress_id, date, source_feature, play_id, xp_earned,
        xp_after, level_before, level_after, created_at)
    SELECT user_id, stamp_id, season_id, progress_id, {date}, '{game}', play_id, xp, xp_before + xp,
        level_before, coalesce(level_after, 0), at
    FROM player WHERE stamps_now
), climbed AS MATERIALIZED (
    SELECT p.user_id, gen_random_uuid() AS id, l.level, l.reward_type, l.reward_amount, l.coupon_type
    FROM player p JOIN season_pass_level l ON l.season_id = p.season_id AND l.level <= p.level_after
    WHERE p.stamps_now AND l.auto_claim AND NOT EXISTS (
        SELECT FROM season_pass_reward_log r
        WHERE r.user_id = p.user_id AND r.season_id = p.season_id AND r.level = l.level)
), claimed AS (
    INSERT INTO season_pass_reward_log (user_id, id, season_id, progress_id, level, stamp_id, reward_type,
        reward_amount, coupon_type, created_at)
    SELECT p.user_id, c.id, p.season_id, p.progress_id, c.level, p.stamp_id, c.reward_type, c.reward_amount,
        c.coupon_type, p.at
    FROM player p, climbed c
), granted AS MATERIALIZED (
    SELECT p.user_id, p.ledger_lines + row_number() OVER (ORDER BY g.position) AS line_no, g.reward_type, g.amount,
        g.coupon_type, g.cause, g.cause_id, p.at,
        coalesce(b.amount, 0) + sum(g.amount) OVER (PARTITION BY g.reward_type ORDER BY g.position) AS balance_after
    FROM player p CROSS JOIN LATERAL (
        SELECT 0 AS position, d.reward_type, d.reward_amount AS amount, d.coupon_type, '{cause}' AS cause,
            p.play_id AS cause_id
        FROM drawn d WHERE d.reward_type <> 'NONE' AND d.reward_amount > 0
        UNION ALL
        SELECT c.level, c.reward_type, c.reward_amount, c.coupon_type, 'SEASON_LEVEL', c.id
        FROM climbed c WHERE c.reward_type <> 'NONE' AND c.reward_amount > 0) g
    LEFT JOIN reward_balance b ON b.user_id = p.user_id AND b.reward_type = g.reward_type
), {coupon}lines AS MATERIALIZED (
    SELECT g.user_id, g.line_no, g.reward_type, g.amount, g.coupon_type, {coupon_id} AS coupon_id, g.cause, g.cause_id,
        g.at, CASE WHEN g.coupon_type IS NULL THEN g.balance_after::bigint END AS balance_after
    FROM granted g
), chained AS (
    SELECT p.user_id, p.ledger_lines AS line_no, p.ledger_hash AS hash FROM player p
    UNION ALL
    SELECT l.user_id, l.line_no, haru_ledger_hash(c.hash, l.user_id, l.line_no, l.at, l.cause, l.cause_id,
        l.reward_type, l.amount, l.balance_after, l.coupon_id, l.coupon_type)
    FROM chained c JOIN lines l ON l.line_no = c.line_no + 1
), ledger AS (
    INSERT INTO reward_ledger (user_id, line_no, reward_type, amount, coupon_type, coupon_id, balance_after, cause,
        cause_id, created_at, hash)
    SELECT l.user_id, l.line_no, l.reward_type, l.amount, l.coupon_type, l.coupon_id, l.balance_after, l.cause,
        l.cause_id, l.at, c.hash
    FROM lines l JOIN chained c ON c.line_no = l.line_no
), balances AS (
    INSERT INTO reward_balance (user_id, reward_type, amount)
    SELECT user_id, reward_type, max(balance_after) FROM granted WHERE coupon_type IS NULL
    GROUP BY user_id, reward_type
    ON CONFLICT (user_id, reward_type) DO UPDATE SET amount = excluded.amount
), events AS (
    INSERT INTO user_event_log (user_id, id, feature_type, event_name, business_date, meta_json, created_at)
    SELECT p.user_id, gen_random_uuid(), e.feature, e.name, {date}, e.meta::jsonb, p.at
    FROM player p CROSS JOIN LATERAL (VALUES
        ('{game}', 'PLAY', {played}::text, true),
        ('SEASON_PASS', 'SEASON_PASS_STAMP', {stamped}::text, p.stamps_now),
        ('SEASON_PASS', 'SEASON_PASS_LEVEL_UP', {climbed}::text, p.stamps_now AND p.level_after > p.level_before)
    ) AS e(feature, name, meta, happened)
    WHERE e.happened
), kept AS (
    INSERT INTO idempotency_key (user_id, key, request, answer, created_at)
    SELECT user_id, {key}, 'play' || chr(58) || '{game}', {answer}::json, at FROM player
), counted AS (
    UPDATE "user" u SET version = u.version + 1, ledger_lines = c.line_no, ledger_hash = c.hash
    FROM (SELECT * FROM chained ORDER BY line_no DESC LIMIT 1) c WHERE u.id = c.user_id
)
"""

DONE = "SELECT FROM player"

ANSWER = """
SELECT p.play_id, p.play_no, p.at, d.u1, d.u2, d.d1, d.d2, d.outcome,
    d.reward_type, d.reward_amount, d.coupon_type,
    (SELECT g.balance_after FROM granted g WHERE g.cause = '{cause}') AS balance,
    CASE WHEN p.stamps_now THEN json_build_object('xp', p.xp, 'current_xp', p.xp_before + p.xp,
        'current_level', coalesce(p.level_after, 0), 'leveled_up', p.level_after > p.level_before,
        'rewards', (SELECT coalesce(json_agg(json_build_object('level', c.level, 'type', c.reward_type,
            'amount', c.reward_amount, 'balance', g.balance_after)), '[]')
            FROM climbed c LEFT JOIN granted g ON g.cause_id = c.id)) END AS stamp
FROM player p, drawn d
"""
"""What a client is told of a play of dice."""

COUPON = """code AS MATERIALIZED (
    SELECT c.id, g.user_id, g.line_no, g.at FROM granted g CROSS JOIN LATERAL (
        SELECT c.id FROM coupon_code c
        WHERE c.coupon_type BETWEEN g.coupon_type AND g.coupon_type AND c.line_no IS NULL
        ORDER BY c.coupon_type, c.id LIMIT 1 FOR UPDATE SKIP LOCKED) c
), given AS (
    UPDATE coupon_code c SET user_id = code.user_id, line_no = code.line_no, given_at = code.at
    FROM code WHERE c.id = code.id
), waiting AS (
    INSERT INTO coupon_waiting (coupon_type, user_id, line_no, created_at)
    SELECT g.coupon_type, g.user_id, g.line_no, g.at FROM granted g
    WHERE g.coupon_type IS NOT NULL AND NOT EXISTS (SELECT FROM code)
), """
"""Giving a coupon's code out of the pool; the dice have no coupons.

BETWEEN, because an equality lets the planner walk the primary key instead of the index of the free codes.
"""


PGBENCH = {
    "player": "md5('bench-' || :player)::uuid",
    "date": ":date::date",
    "played": ":played",
    "stamped": ":stamped",
    "climbed": ":climbed",
    "key": "gen_random_uuid()::text",
    "answer": ":answer",
}
PREPARED = {
    "player": "$1::uuid",
    "key": "$2::text",
    "date": "$3::date",
    "played": "$4",
    "stamped": "$5",
    "climbed": "$6",
    "answer": "$7",
}


def script(game: str, *, players: int, clients: int) -> str:
    """The pgbench script: a random player of the client's own, and the statement.

    It has these variables: date, played, stamped, climbed (the events' JSON) and answer (the key's).
    """
    each = players // clients
    return f"\\set player :client_id + {clients} * random(0, {each - 1})\n{_play(game, PGBENCH)}{DONE};\n"


def prepared() -> str:
    """A play of dice as a prepared statement with the parameters PREPARED; its row is what a client is told."""
    return _play("DICE", PREPARED) + ANSWER.format(cause=CAUSES["DICE"])


def _play(game: str, values: Mapping[str, str]) -> str:
    log, columns, drawn = LOGS[game]
    return (
        PLAY.format(
            game=game,
            draw=DRAWS[game].format(in_force=IN_FORCE.format(game=game.lower())).strip(),
            log=log,
            columns=columns,
            drawn=drawn.format(**values),
            cause=CAUSES[game],
            coupon="" if game == "DICE" else COUPON,
            coupon_id="NULL::bigint" if game == "DICE" else "(SELECT code.id FROM code WHERE code.line_no = g.line_no)",
            **values,
        ).strip()
        + "\n"
    )
