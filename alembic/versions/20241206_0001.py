"""All tables of haru, with every rule that a constraint can hold.

Revision: 20241206_0001, after None
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from alembic import op
from models import draw_rules, revision_hashes
from server.migrations.chain import CREATE_CHAIN, DROP_CHAIN
from server.migrations.changes import CREATE_CHANGES, DROP_CHANGES
from server.migrations.guards import create_guards, drop_guards

revision = "20241206_0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dice_config",
        sa.Column("max_daily_plays", sa.BigInteger(), nullable=False),
        sa.Column(
            "win_reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="win_reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("win_reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("win_coupon_type", sa.Text(), nullable=True),
        sa.Column(
            "draw_reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="draw_reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("draw_reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("draw_coupon_type", sa.Text(), nullable=True),
        sa.Column(
            "lose_reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="lose_reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("lose_reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("lose_coupon_type", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("cost", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notice_hours", sa.BigInteger(), nullable=False),
        sa.Column("emergency_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(draw_coupon_type IS NOT NULL) = (draw_reward_type = 'COUPON')",
            name=op.f("ck_dice_config_draw_coupon_type"),
        ),
        sa.CheckConstraint(
            "(lose_coupon_type IS NOT NULL) = (lose_reward_type = 'COUPON')",
            name=op.f("ck_dice_config_lose_coupon_type"),
        ),
        sa.CheckConstraint(
            "(win_coupon_type IS NOT NULL) = (win_reward_type = 'COUPON')", name=op.f("ck_dice_config_win_coupon_type")
        ),
        sa.CheckConstraint(
            "char_length(draw_coupon_type) BETWEEN 1 AND 64", name=op.f("ck_dice_config_draw_coupon_type_length")
        ),
        sa.CheckConstraint(
            "char_length(lose_coupon_type) BETWEEN 1 AND 64", name=op.f("ck_dice_config_lose_coupon_type_length")
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_dice_config_name_length")),
        sa.CheckConstraint(
            "char_length(win_coupon_type) BETWEEN 1 AND 64", name=op.f("ck_dice_config_win_coupon_type_length")
        ),
        sa.CheckConstraint(
            "draw_reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_dice_config_draw_reward_amount")
        ),
        sa.CheckConstraint(
            "lose_reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_dice_config_lose_reward_amount")
        ),
        sa.CheckConstraint("max_daily_plays BETWEEN 0 AND 10000", name=op.f("ck_dice_config_max_daily_plays")),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_dice_config_hash")),
        sa.CheckConstraint(
            "cost <@ jsonb_build_object('KO', cost -> 'KO', 'EN', cost -> 'EN')"
            " AND jsonb_typeof(cost -> 'KO') = 'string' AND char_length(cost ->> 'KO') BETWEEN 1 AND 100"
            " AND jsonb_typeof(cost -> 'EN') = 'string' AND char_length(cost ->> 'EN') BETWEEN 1 AND 100",
            name=op.f("ck_dice_config_cost"),
        ),
        sa.CheckConstraint("notice_hours BETWEEN 0 AND 2160", name=op.f("ck_dice_config_notice_hours")),
        sa.CheckConstraint(
            "char_length(emergency_reason) BETWEEN 1 AND 500", name=op.f("ck_dice_config_emergency_reason_length")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_dice_config_revision")),
        sa.CheckConstraint("win_reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_dice_config_win_reward_amount")),
        sa.CheckConstraint(
            "effective_from >= published_at AND effective_from < '3000-01-01 UTC'",
            name=op.f("ck_dice_config_effective_from"),
        ),
        sa.CheckConstraint(
            "effective_until > effective_from AND effective_until <= '3000-01-01 UTC'",
            name=op.f("ck_dice_config_effective_until"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dice_config")),
        sa.UniqueConstraint("id", "effective_from", name=op.f("uq_dice_config_id_effective_from")),
        sa.UniqueConstraint("hash", name=op.f("uq_dice_config_hash")),
        sa.UniqueConstraint("revision", name=op.f("uq_dice_config_revision")),
    )
    op.create_index(
        op.f("ix_dice_config_effective_from_revision"), "dice_config", ["effective_from", "revision"], unique=False
    )
    op.create_table(
        "dice_withdrawal",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("withdrawn_at < effective_from", name=op.f("ck_dice_withdrawal_before_it_began")),
        sa.CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name=op.f("ck_dice_withdrawal_reason_length")),
        sa.ForeignKeyConstraint(
            ["config_id", "effective_from"],
            ["dice_config.id", "dice_config.effective_from"],
            name=op.f("fk_dice_withdrawal_config_id_effective_from"),
        ),
        sa.PrimaryKeyConstraint("config_id", name=op.f("pk_dice_withdrawal")),
    )
    op.create_table(
        "fact_revision",
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("revision", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("facts", name=op.f("pk_fact_revision")),
    )
    op.create_table(
        "feature_config",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "feature_type",
            sa.Enum(
                "ROULETTE",
                "DICE",
                "LOTTERY",
                "RANKING",
                "SEASON_PASS",
                name="feature_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("titles", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("page_path", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("stamp_xp_bonus", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(page_path) BETWEEN 1 AND 200", name=op.f("ck_feature_config_page_path_length")),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 100", name=op.f("ck_feature_config_title_length")),
        sa.CheckConstraint(
            "titles <@ jsonb_build_object('KO', titles -> 'KO', 'EN', titles -> 'EN')"
            " AND jsonb_typeof(titles -> 'KO') = 'string' AND char_length(titles ->> 'KO') BETWEEN 1 AND 100"
            " AND jsonb_typeof(titles -> 'EN') = 'string' AND char_length(titles ->> 'EN') BETWEEN 1 AND 100",
            name=op.f("ck_feature_config_titles"),
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_feature_config_revision")),
        sa.CheckConstraint("page_path ~ '^/([^/]|$)'", name=op.f("ck_feature_config_page_path")),
        sa.CheckConstraint("stamp_xp_bonus BETWEEN 0 AND 100000", name=op.f("ck_feature_config_stamp_xp_bonus")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_config")),
        sa.UniqueConstraint("feature_type", name=op.f("uq_feature_config_feature_type")),
    )
    op.create_table(
        "feature_schedule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column(
            "feature_type",
            sa.Enum(
                "ROULETTE",
                "DICE",
                "LOTTERY",
                "RANKING",
                "SEASON_PASS",
                name="feature_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("date <= '2999-12-31'", name=op.f("ck_feature_schedule_date")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_feature_schedule_revision")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feature_schedule")),
        sa.UniqueConstraint("date", name=op.f("uq_feature_schedule_date")),
    )
    op.create_table(
        "lottery_config",
        sa.Column("max_daily_tickets", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("cost", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notice_hours", sa.BigInteger(), nullable=False),
        sa.Column("emergency_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_lottery_config_name_length")),
        sa.CheckConstraint("max_daily_tickets BETWEEN 0 AND 10000", name=op.f("ck_lottery_config_max_daily_tickets")),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_lottery_config_hash")),
        sa.CheckConstraint(
            "cost <@ jsonb_build_object('KO', cost -> 'KO', 'EN', cost -> 'EN')"
            " AND jsonb_typeof(cost -> 'KO') = 'string' AND char_length(cost ->> 'KO') BETWEEN 1 AND 100"
            " AND jsonb_typeof(cost -> 'EN') = 'string' AND char_length(cost ->> 'EN') BETWEEN 1 AND 100",
            name=op.f("ck_lottery_config_cost"),
        ),
        sa.CheckConstraint("notice_hours BETWEEN 0 AND 2160", name=op.f("ck_lottery_config_notice_hours")),
        sa.CheckConstraint(
            "char_length(emergency_reason) BETWEEN 1 AND 500", name=op.f("ck_lottery_config_emergency_reason_length")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_lottery_config_revision")),
        sa.CheckConstraint(
            "effective_from >= published_at AND effective_from < '3000-01-01 UTC'",
            name=op.f("ck_lottery_config_effective_from"),
        ),
        sa.CheckConstraint(
            "effective_until > effective_from AND effective_until <= '3000-01-01 UTC'",
            name=op.f("ck_lottery_config_effective_until"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lottery_config")),
        sa.UniqueConstraint("id", "effective_from", name=op.f("uq_lottery_config_id_effective_from")),
        sa.UniqueConstraint("hash", name=op.f("uq_lottery_config_hash")),
        sa.UniqueConstraint("revision", name=op.f("uq_lottery_config_revision")),
    )
    op.create_index(
        op.f("ix_lottery_config_effective_from_revision"),
        "lottery_config",
        ["effective_from", "revision"],
        unique=False,
    )
    op.create_table(
        "lottery_withdrawal",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("withdrawn_at < effective_from", name=op.f("ck_lottery_withdrawal_before_it_began")),
        sa.CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name=op.f("ck_lottery_withdrawal_reason_length")),
        sa.ForeignKeyConstraint(
            ["config_id", "effective_from"],
            ["lottery_config.id", "lottery_config.effective_from"],
            name=op.f("fk_lottery_withdrawal_config_id_effective_from"),
        ),
        sa.PrimaryKeyConstraint("config_id", name=op.f("pk_lottery_withdrawal")),
    )
    op.create_table(
        "ranking_revision",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("total_entries", sa.BigInteger(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("NOT is_deleted OR total_entries = 0", name=op.f("ck_ranking_revision_deleted_is_empty")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_ranking_revision_revision")),
        sa.CheckConstraint("total_entries BETWEEN 0 AND 200000", name=op.f("ck_ranking_revision_total_entries")),
        sa.PrimaryKeyConstraint("date", "revision", name=op.f("pk_ranking_revision")),
    )
    op.create_table(
        "roulette_config",
        sa.Column("max_daily_spins", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("cost", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("notice_hours", sa.BigInteger(), nullable=False),
        sa.Column("emergency_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_roulette_config_name_length")),
        sa.CheckConstraint("max_daily_spins BETWEEN 0 AND 10000", name=op.f("ck_roulette_config_max_daily_spins")),
        sa.CheckConstraint("hash ~ '^[0-9a-f]{64}$'", name=op.f("ck_roulette_config_hash")),
        sa.CheckConstraint(
            "cost <@ jsonb_build_object('KO', cost -> 'KO', 'EN', cost -> 'EN')"
            " AND jsonb_typeof(cost -> 'KO') = 'string' AND char_length(cost ->> 'KO') BETWEEN 1 AND 100"
            " AND jsonb_typeof(cost -> 'EN') = 'string' AND char_length(cost ->> 'EN') BETWEEN 1 AND 100",
            name=op.f("ck_roulette_config_cost"),
        ),
        sa.CheckConstraint("notice_hours BETWEEN 0 AND 2160", name=op.f("ck_roulette_config_notice_hours")),
        sa.CheckConstraint(
            "char_length(emergency_reason) BETWEEN 1 AND 500", name=op.f("ck_roulette_config_emergency_reason_length")
        ),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_roulette_config_revision")),
        sa.CheckConstraint(
            "effective_from >= published_at AND effective_from < '3000-01-01 UTC'",
            name=op.f("ck_roulette_config_effective_from"),
        ),
        sa.CheckConstraint(
            "effective_until > effective_from AND effective_until <= '3000-01-01 UTC'",
            name=op.f("ck_roulette_config_effective_until"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roulette_config")),
        sa.UniqueConstraint("id", "effective_from", name=op.f("uq_roulette_config_id_effective_from")),
        sa.UniqueConstraint("hash", name=op.f("uq_roulette_config_hash")),
        sa.UniqueConstraint("revision", name=op.f("uq_roulette_config_revision")),
    )
    op.create_index(
        op.f("ix_roulette_config_effective_from_revision"),
        "roulette_config",
        ["effective_from", "revision"],
        unique=False,
    )
    op.create_table(
        "roulette_withdrawal",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("withdrawn_at < effective_from", name=op.f("ck_roulette_withdrawal_before_it_began")),
        sa.CheckConstraint("char_length(reason) BETWEEN 1 AND 500", name=op.f("ck_roulette_withdrawal_reason_length")),
        sa.ForeignKeyConstraint(
            ["config_id", "effective_from"],
            ["roulette_config.id", "roulette_config.effective_from"],
            name=op.f("fk_roulette_withdrawal_config_id_effective_from"),
        ),
        sa.PrimaryKeyConstraint("config_id", name=op.f("pk_roulette_withdrawal")),
    )
    op.create_table(
        "season_pass_config",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("end_date", sa.Date(), nullable=False),
        sa.Column("base_xp_per_stamp", sa.BigInteger(), nullable=False),
        sa.Column("max_level", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.text("daterange(start_date, end_date, '[]')"), "&&"), using="gist", name="ex_season_pass_config_overlap"
        ),
        sa.CheckConstraint(
            "base_xp_per_stamp BETWEEN 0 AND 100000", name=op.f("ck_season_pass_config_base_xp_per_stamp")
        ),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 100", name=op.f("ck_season_pass_config_name_length")),
        sa.CheckConstraint("max_level BETWEEN 1 AND 200", name=op.f("ck_season_pass_config_max_level")),
        sa.CheckConstraint("revision >= 1", name=op.f("ck_season_pass_config_revision")),
        sa.CheckConstraint("end_date - start_date BETWEEN 0 AND 3659", name=op.f("ck_season_pass_config_dates")),
        sa.CheckConstraint("end_date <= '2999-12-31'", name=op.f("ck_season_pass_config_end_date")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season_pass_config")),
        sa.UniqueConstraint("name", name=op.f("uq_season_pass_config_name")),
    )
    op.create_table(
        "user",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("is_blocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ledger_lines", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("ledger_hash", postgresql.BYTEA(), server_default=sa.text(f"'\\x{bytes(32).hex()}'"), nullable=False),
        sa.Column("tokens_valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(external_id) BETWEEN 1 AND 128", name=op.f("ck_user_external_id_length")),
        sa.CheckConstraint("ledger_lines >= 0", name=op.f("ck_user_ledger_lines")),
        sa.CheckConstraint("octet_length(ledger_hash) = 32", name=op.f("ck_user_ledger_hash_length")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_user_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("external_id", name=op.f("uq_user_external_id")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(op.f("ix_user_created_at_id"), "user", ["created_at", "id"], unique=False)
    op.create_index(
        "ix_user_external_id_prefix",
        "user",
        ["external_id"],
        unique=False,
        postgresql_ops={"external_id": "text_pattern_ops"},
    )
    op.create_index(
        op.f("ix_user_tokens_valid_from"),
        "user",
        ["tokens_valid_from"],
        unique=False,
        postgresql_where=sa.text("tokens_valid_from IS NOT NULL"),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column(
            "actor_role",
            sa.Enum(
                "PLAYER",
                "SERVICE",
                "AUDITOR",
                "OPERATOR",
                "ADMIN",
                name="actor_role",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=True,
        ),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(actor_id IS NULL) = (actor_role IS NULL)", name=op.f("ck_audit_log_actor_whole")),
        sa.CheckConstraint("char_length(action) BETWEEN 1 AND 100", name=op.f("ck_audit_log_action_length")),
        sa.CheckConstraint("char_length(actor) BETWEEN 1 AND 200", name=op.f("ck_audit_log_actor_length")),
        sa.CheckConstraint("char_length(target) BETWEEN 1 AND 300", name=op.f("ck_audit_log_target_length")),
        sa.ForeignKeyConstraint(["actor_id"], ["user.id"], name=op.f("fk_audit_log_actor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(
        op.f("ix_audit_log_actor_id_created_at_id"), "audit_log", ["actor_id", "created_at", "id"], unique=False
    )
    op.create_index(op.f("ix_audit_log_created_at_id"), "audit_log", ["created_at", "id"], unique=False)
    op.create_index(
        op.f("ix_audit_log_target_created_at_id"), "audit_log", ["target", "created_at", "id"], unique=False
    )
    op.create_table(
        "dice_log",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("user_dice_1", sa.SmallInteger(), nullable=False),
        sa.Column("user_dice_2", sa.SmallInteger(), nullable=False),
        sa.Column("dealer_dice_1", sa.SmallInteger(), nullable=False),
        sa.Column("dealer_dice_2", sa.SmallInteger(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum("WIN", "DRAW", "LOSE", name="outcome", native_enum=False, create_constraint=True, length=None),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("play_no", sa.BigInteger(), nullable=False),
        sa.Column("daily_max", sa.BigInteger(), nullable=False),
        sa.Column("drawn_from", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("rolls", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cardinality(drawn_from) > 0 AND 0 <= ALL (drawn_from) AND cardinality(rolls) > 0 AND 0 <= ALL (rolls)",
            name=op.f("ck_dice_log_drawn"),
        ),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_dice_log_coupon_type")
        ),
        sa.CheckConstraint(
            "outcome = CASE sign(user_dice_1 + user_dice_2 - dealer_dice_1 - dealer_dice_2) WHEN 1 THEN 'WIN' WHEN 0 THEN 'DRAW' ELSE 'LOSE' END",
            name=op.f("ck_dice_log_outcome_sums"),
        ),
        sa.CheckConstraint("char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_dice_log_coupon_type_length")),
        sa.CheckConstraint("dealer_dice_1 BETWEEN 1 AND 6", name=op.f("ck_dice_log_dealer_dice_1")),
        sa.CheckConstraint("dealer_dice_2 BETWEEN 1 AND 6", name=op.f("ck_dice_log_dealer_dice_2")),
        sa.CheckConstraint(
            "play_no >= 1 AND (daily_max = 0 OR play_no <= daily_max)", name=op.f("ck_dice_log_daily_limit")
        ),
        sa.CheckConstraint("reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_dice_log_reward_amount")),
        sa.CheckConstraint("user_dice_1 BETWEEN 1 AND 6", name=op.f("ck_dice_log_user_dice_1")),
        sa.CheckConstraint("user_dice_2 BETWEEN 1 AND 6", name=op.f("ck_dice_log_user_dice_2")),
        sa.ForeignKeyConstraint(["config_id"], ["dice_config.id"], name=op.f("fk_dice_log_config_id")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_dice_log_user_id")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_dice_log")),
        sa.UniqueConstraint(
            "user_id", "business_date", "play_no", name=op.f("uq_dice_log_user_id_business_date_play_no")
        ),
    )
    op.create_index(
        op.f("ix_dice_log_business_date_created_at"),
        "dice_log",
        ["business_date", "created_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index(op.f("ix_dice_log_user_id_created_at"), "dice_log", ["user_id", "created_at"], unique=False)
    op.create_table(
        "idempotency_key",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("answer", postgresql.JSON(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("char_length(key) BETWEEN 1 AND 128", name=op.f("ck_idempotency_key_key_length")),
        sa.CheckConstraint("char_length(request) BETWEEN 1 AND 1000", name=op.f("ck_idempotency_key_request_length")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_idempotency_key_user_id")),
        sa.PrimaryKeyConstraint("user_id", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_index(op.f("ix_idempotency_key_created_at"), "idempotency_key", ["created_at"], unique=False)
    op.create_table(
        "lottery_stock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("initial", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.CheckConstraint('"left" <= initial', name=op.f("ck_lottery_stock_left_within_initial")),
        sa.CheckConstraint('"left" >= 0', name=op.f("ck_lottery_stock_left")),
        sa.CheckConstraint("initial BETWEEN 0 AND 1000000000", name=op.f("ck_lottery_stock_initial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lottery_stock")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "lottery_prize",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("stock_id", sa.BigInteger(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_lottery_prize_coupon_type")
        ),
        sa.CheckConstraint(
            "char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_lottery_prize_coupon_type_length")
        ),
        sa.CheckConstraint("char_length(label) BETWEEN 1 AND 100", name=op.f("ck_lottery_prize_label_length")),
        sa.CheckConstraint(
            "labels <@ jsonb_build_object('KO', labels -> 'KO', 'EN', labels -> 'EN')"
            " AND jsonb_typeof(labels -> 'KO') = 'string' AND char_length(labels ->> 'KO') BETWEEN 1 AND 100"
            " AND jsonb_typeof(labels -> 'EN') = 'string' AND char_length(labels ->> 'EN') BETWEEN 1 AND 100",
            name=op.f("ck_lottery_prize_labels"),
        ),
        sa.CheckConstraint("(quantity IS NULL) = (stock_id IS NULL)", name=op.f("ck_lottery_prize_quantity_of_stock")),
        sa.CheckConstraint("position BETWEEN 0 AND 99", name=op.f("ck_lottery_prize_position")),
        sa.CheckConstraint("quantity BETWEEN 0 AND 1000000000", name=op.f("ck_lottery_prize_quantity")),
        sa.CheckConstraint("reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_lottery_prize_reward_amount")),
        sa.CheckConstraint("weight BETWEEN 0 AND 1000000000", name=op.f("ck_lottery_prize_weight")),
        sa.ForeignKeyConstraint(["config_id"], ["lottery_config.id"], name=op.f("fk_lottery_prize_config_id")),
        sa.ForeignKeyConstraint(["stock_id"], ["lottery_stock.id"], name=op.f("fk_lottery_prize_stock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lottery_prize")),
        sa.UniqueConstraint("config_id", "id", name=op.f("uq_lottery_prize_config_id_id")),
        sa.UniqueConstraint("config_id", "stock_id", name=op.f("uq_lottery_prize_config_id_stock_id")),
        sa.UniqueConstraint("config_id", "position", name=op.f("uq_lottery_prize_config_id_position")),
    )
    op.create_table(
        "ranking_daily",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "char_length(display_name) BETWEEN 1 AND 100", name=op.f("ck_ranking_daily_display_name_length")
        ),
        sa.CheckConstraint(
            "char_length(external_id) BETWEEN 1 AND 128", name=op.f("ck_ranking_daily_external_id_length")
        ),
        sa.CheckConstraint("rank BETWEEN 1 AND 1000000000", name=op.f("ck_ranking_daily_rank")),
        sa.CheckConstraint("score BETWEEN -9007199254740991 AND 9007199254740991", name=op.f("ck_ranking_daily_score")),
        sa.ForeignKeyConstraint(
            ["date", "revision"],
            ["ranking_revision.date", "ranking_revision.revision"],
            name=op.f("fk_ranking_daily_date_revision"),
        ),
        sa.PrimaryKeyConstraint("date", "rank", name=op.f("pk_ranking_daily")),
    )
    op.create_index("uq_ranking_daily_date_external_id", "ranking_daily", ["date", "external_id"], unique=True)
    op.create_table(
        "reward_balance",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reward_type IN ('POINT', 'TOKEN')", name=op.f("ck_reward_balance_kept_as_balance")),
        sa.CheckConstraint("amount BETWEEN 0 AND 9007199254740991", name=op.f("ck_reward_balance_amount")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_reward_balance_user_id")),
        sa.PrimaryKeyConstraint("user_id", "reward_type", name=op.f("pk_reward_balance")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "reward_ledger",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.Column("coupon_id", sa.BigInteger(), nullable=True),
        sa.Column("balance_after", sa.BigInteger(), nullable=True),
        sa.Column(
            "cause",
            sa.Enum(
                "DICE_PLAY",
                "ROULETTE_SPIN",
                "LOTTERY_DRAW",
                "SEASON_LEVEL",
                "ADMIN_GRANT",
                "COUPON_GIVEN",
                name="cause",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("cause_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint(
            "(balance_after IS NULL) = (reward_type = 'COUPON')", name=op.f("ck_reward_ledger_balance_after_known")
        ),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_reward_ledger_coupon_type")
        ),
        sa.CheckConstraint(
            "amount BETWEEN 1 AND 1000000000"
            " OR (cause = 'ADMIN_GRANT' AND reward_type <> 'COUPON' AND amount BETWEEN -1000000000 AND -1)"
            " OR (cause = 'COUPON_GIVEN' AND amount = 0)",
            name=op.f("ck_reward_ledger_amount"),
        ),
        sa.CheckConstraint(
            "cause <> 'COUPON_GIVEN' OR (amount = 0 AND coupon_id IS NOT NULL)",
            name=op.f("ck_reward_ledger_coupon_given"),
        ),
        sa.CheckConstraint("coupon_id IS NULL OR reward_type = 'COUPON'", name=op.f("ck_reward_ledger_coupon_id")),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_reward_ledger_hash_length")),
        sa.CheckConstraint("reward_type <> 'NONE'", name=op.f("ck_reward_ledger_grants_something")),
        sa.CheckConstraint("balance_after BETWEEN 0 AND 9007199254740991", name=op.f("ck_reward_ledger_balance_after")),
        sa.CheckConstraint("line_no >= 1", name=op.f("ck_reward_ledger_line_no")),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_reward_ledger_user_id")),
        sa.PrimaryKeyConstraint("user_id", "line_no", name=op.f("pk_reward_ledger")),
        sa.UniqueConstraint("user_id", "cause", "cause_id", name=op.f("uq_reward_ledger_user_id_cause_cause_id")),
    )
    op.create_index(
        "ix_reward_ledger_grants",
        "reward_ledger",
        ["reward_type", "created_at"],
        unique=False,
        postgresql_where=sa.text("cause = 'ADMIN_GRANT'"),
    )
    op.create_index(
        op.f("ix_reward_ledger_user_id_created_at"), "reward_ledger", ["user_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_reward_ledger_time",
        "reward_ledger",
        ["created_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index(
        "uq_reward_ledger_coupon_id",
        "reward_ledger",
        ["coupon_id"],
        unique=True,
        postgresql_where=sa.text("coupon_id IS NOT NULL"),
    )
    op.create_table(
        "roulette_segment",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("slot", sa.SmallInteger(), nullable=False),
        sa.Column("is_jackpot", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("labels", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_roulette_segment_coupon_type")
        ),
        sa.CheckConstraint(
            "char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_roulette_segment_coupon_type_length")
        ),
        sa.CheckConstraint("char_length(label) BETWEEN 1 AND 100", name=op.f("ck_roulette_segment_label_length")),
        sa.CheckConstraint(
            "labels <@ jsonb_build_object('KO', labels -> 'KO', 'EN', labels -> 'EN')"
            " AND jsonb_typeof(labels -> 'KO') = 'string' AND char_length(labels ->> 'KO') BETWEEN 1 AND 100"
            " AND jsonb_typeof(labels -> 'EN') = 'string' AND char_length(labels ->> 'EN') BETWEEN 1 AND 100",
            name=op.f("ck_roulette_segment_labels"),
        ),
        sa.CheckConstraint("reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_roulette_segment_reward_amount")),
        sa.CheckConstraint("slot BETWEEN 0 AND 5", name=op.f("ck_roulette_segment_slot")),
        sa.CheckConstraint("weight BETWEEN 0 AND 1000000000", name=op.f("ck_roulette_segment_weight")),
        sa.ForeignKeyConstraint(["config_id"], ["roulette_config.id"], name=op.f("fk_roulette_segment_config_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roulette_segment")),
        sa.UniqueConstraint("config_id", "id", name=op.f("uq_roulette_segment_config_id_id")),
        sa.UniqueConstraint("config_id", "slot", name=op.f("uq_roulette_segment_config_id_slot")),
    )
    op.create_table(
        "season_pass_level",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("required_xp", sa.BigInteger(), nullable=False),
        sa.Column("auto_claim", sa.Boolean(), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_season_pass_level_coupon_type")
        ),
        sa.CheckConstraint(
            "char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_season_pass_level_coupon_type_length")
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 200", name=op.f("ck_season_pass_level_level")),
        sa.CheckConstraint("required_xp BETWEEN 0 AND 1000000000", name=op.f("ck_season_pass_level_required_xp")),
        sa.CheckConstraint("reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_season_pass_level_reward_amount")),
        sa.ForeignKeyConstraint(["season_id"], ["season_pass_config.id"], name=op.f("fk_season_pass_level_season_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season_pass_level")),
        sa.UniqueConstraint("season_id", "level", name=op.f("uq_season_pass_level_season_id_level")),
    )
    op.create_table(
        "season_pass_progress",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("current_xp", sa.BigInteger(), nullable=False),
        sa.Column("current_level", sa.BigInteger(), nullable=False),
        sa.Column("total_stamps", sa.BigInteger(), nullable=False),
        sa.Column("last_stamp_date", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("current_level BETWEEN 0 AND 200", name=op.f("ck_season_pass_progress_current_level")),
        sa.CheckConstraint("current_xp >= 0", name=op.f("ck_season_pass_progress_current_xp")),
        sa.CheckConstraint("total_stamps >= 0", name=op.f("ck_season_pass_progress_total_stamps")),
        sa.ForeignKeyConstraint(
            ["season_id"], ["season_pass_config.id"], name=op.f("fk_season_pass_progress_season_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_season_pass_progress_user_id")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_season_pass_progress")),
        sa.UniqueConstraint("user_id", "season_id", name=op.f("uq_season_pass_progress_user_id_season_id")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "user_event_log",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "feature_type",
            sa.Enum(
                "ROULETTE",
                "DICE",
                "LOTTERY",
                "RANKING",
                "SEASON_PASS",
                name="feature_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=True,
        ),
        sa.Column(
            "event_name",
            sa.Enum(
                "FEATURE_VIEW",
                "PLAY",
                "SEASON_PASS_STAMP",
                "SEASON_PASS_LEVEL_UP",
                "REWARD_CLAIM",
                "REWARD_GRANT",
                name="event_name",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("meta_json", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_user_event_log_user_id")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_user_event_log")),
    )
    op.create_index(
        op.f("ix_user_event_log_feature_type_event_name_created_at_id"),
        "user_event_log",
        ["feature_type", "event_name", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_user_event_log_user_id_created_at"), "user_event_log", ["user_id", "created_at"], unique=False
    )
    op.create_index(
        op.f("ix_user_event_log_user_id_feature_type_event_name_created_at_id"),
        "user_event_log",
        ["user_id", "feature_type", "event_name", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_user_event_log_feature_view",
        "user_event_log",
        ["user_id", "business_date"],
        unique=True,
        postgresql_where=sa.text("event_name = 'FEATURE_VIEW'"),
    )
    op.create_table(
        "coupon_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("line_no", sa.BigInteger(), nullable=True),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("char_length(code) BETWEEN 1 AND 128", name=op.f("ck_coupon_code_code_length")),
        sa.CheckConstraint("char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_coupon_code_coupon_type_length")),
        sa.CheckConstraint("num_nulls(user_id, line_no, given_at) IN (0, 3)", name=op.f("ck_coupon_code_given_whole")),
        sa.ForeignKeyConstraint(
            ["user_id", "line_no"],
            ["reward_ledger.user_id", "reward_ledger.line_no"],
            name=op.f("fk_coupon_code_user_id_line_no"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_code")),
        sa.UniqueConstraint("code", name=op.f("uq_coupon_code_code")),
        sa.UniqueConstraint("user_id", "line_no", name=op.f("uq_coupon_code_user_id_line_no")),
    )
    op.create_index(
        "ix_coupon_code_free",
        "coupon_code",
        ["coupon_type", "id"],
        unique=False,
        postgresql_where=sa.text("line_no IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_reward_ledger_coupon_id"), "reward_ledger", "coupon_code", ["coupon_id"], ["id"], use_alter=True
    )
    op.create_table(
        "coupon_waiting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "line_no"],
            ["reward_ledger.user_id", "reward_ledger.line_no"],
            name=op.f("fk_coupon_waiting_user_id_line_no"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_coupon_waiting")),
        sa.UniqueConstraint("user_id", "line_no", name=op.f("uq_coupon_waiting_user_id_line_no")),
    )
    op.create_index(op.f("ix_coupon_waiting_coupon_type_id"), "coupon_waiting", ["coupon_type", "id"], unique=False)
    op.create_table(
        "lottery_log",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("prize_id", sa.BigInteger(), nullable=False),
        sa.Column("draw_no", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("play_no", sa.BigInteger(), nullable=False),
        sa.Column("daily_max", sa.BigInteger(), nullable=False),
        sa.Column("drawn_from", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("rolls", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint("draw_no >= 1", name=op.f("ck_lottery_log_draw_no")),
        sa.CheckConstraint(
            "cardinality(drawn_from) > 0 AND 0 <= ALL (drawn_from) AND cardinality(rolls) > 0 AND 0 <= ALL (rolls)",
            name=op.f("ck_lottery_log_drawn"),
        ),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_lottery_log_coupon_type")
        ),
        sa.CheckConstraint("char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_lottery_log_coupon_type_length")),
        sa.CheckConstraint(
            "play_no >= 1 AND (daily_max = 0 OR play_no <= daily_max)", name=op.f("ck_lottery_log_daily_limit")
        ),
        sa.CheckConstraint("reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_lottery_log_reward_amount")),
        sa.ForeignKeyConstraint(
            ["config_id", "prize_id"],
            ["lottery_prize.config_id", "lottery_prize.id"],
            name=op.f("fk_lottery_log_config_id_prize_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_lottery_log_user_id")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_lottery_log")),
        sa.UniqueConstraint("business_date", "draw_no", name=op.f("uq_lottery_log_business_date_draw_no")),
        sa.UniqueConstraint(
            "user_id", "business_date", "play_no", name=op.f("uq_lottery_log_user_id_business_date_play_no")
        ),
    )
    op.create_index(
        op.f("ix_lottery_log_business_date_created_at"),
        "lottery_log",
        ["business_date", "created_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index(op.f("ix_lottery_log_user_id_created_at"), "lottery_log", ["user_id", "created_at"], unique=False)
    op.create_table(
        "roulette_log",
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("play_no", sa.BigInteger(), nullable=False),
        sa.Column("daily_max", sa.BigInteger(), nullable=False),
        sa.Column("drawn_from", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("rolls", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cardinality(drawn_from) > 0 AND 0 <= ALL (drawn_from) AND cardinality(rolls) > 0 AND 0 <= ALL (rolls)",
            name=op.f("ck_roulette_log_drawn"),
        ),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_roulette_log_coupon_type")
        ),
        sa.CheckConstraint(
            "char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_roulette_log_coupon_type_length")
        ),
        sa.CheckConstraint(
            "play_no >= 1 AND (daily_max = 0 OR play_no <= daily_max)", name=op.f("ck_roulette_log_daily_limit")
        ),
        sa.CheckConstraint("reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_roulette_log_reward_amount")),
        sa.ForeignKeyConstraint(
            ["config_id", "segment_id"],
            ["roulette_segment.config_id", "roulette_segment.id"],
            name=op.f("fk_roulette_log_config_id_segment_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_roulette_log_user_id")),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_roulette_log")),
        sa.UniqueConstraint(
            "user_id", "business_date", "play_no", name=op.f("uq_roulette_log_user_id_business_date_play_no")
        ),
    )
    op.create_index(
        op.f("ix_roulette_log_business_date_created_at"),
        "roulette_log",
        ["business_date", "created_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_index(op.f("ix_roulette_log_user_id_created_at"), "roulette_log", ["user_id", "created_at"], unique=False)
    op.create_table(
        "season_pass_reward_log",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("progress_id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("stamp_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "reward_type",
            sa.Enum(
                "POINT",
                "COUPON",
                "TOKEN",
                "NONE",
                name="reward_type",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("reward_amount", sa.BigInteger(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(coupon_type IS NOT NULL) = (reward_type = 'COUPON')", name=op.f("ck_season_pass_reward_log_coupon_type")
        ),
        sa.CheckConstraint(
            "char_length(coupon_type) BETWEEN 1 AND 64", name=op.f("ck_season_pass_reward_log_coupon_type_length")
        ),
        sa.CheckConstraint("level BETWEEN 1 AND 200", name=op.f("ck_season_pass_reward_log_level")),
        sa.CheckConstraint(
            "reward_amount BETWEEN 0 AND 1000000000", name=op.f("ck_season_pass_reward_log_reward_amount")
        ),
        sa.ForeignKeyConstraint(
            ["season_id"], ["season_pass_config.id"], name=op.f("fk_season_pass_reward_log_season_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "progress_id"],
            ["season_pass_progress.user_id", "season_pass_progress.id"],
            name=op.f("fk_season_pass_reward_log_user_id_progress_id"),
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_season_pass_reward_log")),
        sa.UniqueConstraint(
            "user_id", "season_id", "level", name=op.f("uq_season_pass_reward_log_user_id_season_id_level")
        ),
    )
    op.create_index(
        op.f("ix_season_pass_reward_log_user_id_created_at"),
        "season_pass_reward_log",
        ["user_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "season_pass_stamp_log",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("season_id", sa.BigInteger(), nullable=False),
        sa.Column("progress_id", sa.Uuid(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column(
            "source_feature",
            sa.Enum(
                "ROULETTE",
                "DICE",
                "LOTTERY",
                "RANKING",
                "SEASON_PASS",
                name="source_feature",
                native_enum=False,
                create_constraint=True,
                length=None,
            ),
            nullable=False,
        ),
        sa.Column("play_id", sa.Uuid(), nullable=True),
        sa.Column("xp_earned", sa.BigInteger(), nullable=False),
        sa.Column("xp_after", sa.BigInteger(), nullable=False),
        sa.Column("level_before", sa.BigInteger(), nullable=False),
        sa.Column("level_after", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level_after BETWEEN 0 AND 200", name=op.f("ck_season_pass_stamp_log_level_after")),
        sa.CheckConstraint("level_before BETWEEN 0 AND 200", name=op.f("ck_season_pass_stamp_log_level_before")),
        sa.CheckConstraint("xp_after >= xp_earned", name=op.f("ck_season_pass_stamp_log_xp_after")),
        sa.CheckConstraint("xp_earned >= 0", name=op.f("ck_season_pass_stamp_log_xp_earned")),
        sa.ForeignKeyConstraint(
            ["season_id"], ["season_pass_config.id"], name=op.f("fk_season_pass_stamp_log_season_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "progress_id"],
            ["season_pass_progress.user_id", "season_pass_progress.id"],
            name=op.f("fk_season_pass_stamp_log_user_id_progress_id"),
        ),
        sa.PrimaryKeyConstraint("user_id", "id", name=op.f("pk_season_pass_stamp_log")),
        sa.UniqueConstraint(
            "user_id", "season_id", "date", name=op.f("uq_season_pass_stamp_log_user_id_season_id_date")
        ),
    )
    op.create_index(
        op.f("ix_season_pass_stamp_log_user_id_created_at"),
        "season_pass_stamp_log",
        ["user_id", "created_at"],
        unique=False,
    )
    create_seals()
    for statement in CREATE_CHAIN:
        op.execute(statement)
    create_draws()
    create_alarms()
    for statement in revision_hashes.CREATE:
        op.execute(statement)
    for statement in CREATE_CHANGES:
        op.execute(statement)
    for statement in create_guards():
        op.execute(statement)


def create_seals() -> None:
    op.create_table(
        "ledger_seal",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leaves", sa.BigInteger(), nullable=False),
        sa.Column("root", postgresql.BYTEA(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("coupons", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_ledger_seal_number")),
        sa.CheckConstraint("settled_at <= sealed_at", name=op.f("ck_ledger_seal_settled_at")),
        sa.CheckConstraint("leaves >= 1", name=op.f("ck_ledger_seal_leaves")),
        sa.CheckConstraint("lines >= leaves", name=op.f("ck_ledger_seal_lines")),
        sa.CheckConstraint("coupons BETWEEN 0 AND lines", name=op.f("ck_ledger_seal_coupons")),
        sa.CheckConstraint("points >= 0", name=op.f("ck_ledger_seal_points")),
        sa.CheckConstraint("tokens >= 0", name=op.f("ck_ledger_seal_tokens")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_ledger_seal_root_length")),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_ledger_seal_hash_length")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_seal")),
    )
    op.create_table(
        "ledger_seal_leaf",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("line_no", sa.BigInteger(), nullable=False),
        sa.Column("seal_no", sa.BigInteger(), nullable=False),
        sa.Column("hash", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint("octet_length(hash) = 32", name=op.f("ck_ledger_seal_leaf_hash_length")),
        sa.ForeignKeyConstraint(["seal_no"], ["ledger_seal.number"], name=op.f("fk_ledger_seal_leaf_seal_no")),
        sa.ForeignKeyConstraint(
            ["user_id", "line_no"],
            ["reward_ledger.user_id", "reward_ledger.line_no"],
            name=op.f("fk_ledger_seal_leaf_user_id_line_no"),
        ),
        sa.PrimaryKeyConstraint("user_id", "line_no", name=op.f("pk_ledger_seal_leaf")),
        sa.UniqueConstraint("seal_no", "user_id", name=op.f("uq_ledger_seal_leaf_seal_no_user_id")),
    )


def create_draws() -> None:
    """Seeds, roots, and what numbers the lottery's draws."""
    op.create_table(
        "draw_seed",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("commitment", sa.Text(), nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=True),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("commitment ~ '^[0-9a-f]{64}$'", name=op.f("ck_draw_seed_commitment")),
        sa.CheckConstraint(
            "commitment = encode(sha256(convert_to('haru seed 1' || chr(10) || to_char(date, 'YYYY-MM-DD') || chr(10),"
            " 'UTF8') || seed), 'hex')",
            name=op.f("ck_draw_seed_seed_committed_to"),
        ),
        sa.CheckConstraint("octet_length(seed) = 32", name=op.f("ck_draw_seed_seed")),
        sa.CheckConstraint("(seed IS NULL) = (revealed_at IS NULL)", name=op.f("ck_draw_seed_revealed_whole")),
        sa.CheckConstraint(
            "revealed_at >= (date + time '10:05') AT TIME ZONE 'UTC'", name=op.f("ck_draw_seed_revealed_after_the_day")
        ),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_draw_seed")),
        sa.UniqueConstraint("commitment", name=op.f("uq_draw_seed_commitment")),
    )
    op.create_table(
        "draw_seed_sealed",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("char_length(kid) BETWEEN 1 AND 64", name=op.f("ck_draw_seed_sealed_kid_length")),
        sa.CheckConstraint("octet_length(nonce) = 12", name=op.f("ck_draw_seed_sealed_nonce")),
        sa.CheckConstraint("octet_length(sealed) = 48", name=op.f("ck_draw_seed_sealed_sealed")),
        sa.ForeignKeyConstraint(["date"], ["draw_seed.date"], name=op.f("fk_draw_seed_sealed_date")),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_draw_seed_sealed")),
    )
    op.create_table(
        "draw_root",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("draws", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("root ~ '^([0-9a-f]{64})?$'", name=op.f("ck_draw_root_root")),
        sa.CheckConstraint("draws >= 0 AND (draws = 0) = (root = '')", name=op.f("ck_draw_root_draws")),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_draw_root")),
    )
    op.create_table(
        "draw_leaves",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("chunk", sa.BigInteger(), nullable=False),
        sa.Column("least", sa.LargeBinary(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("chunk >= 0", name=op.f("ck_draw_leaves_chunk")),
        sa.CheckConstraint(
            "octet_length(leaves) BETWEEN 32 AND 32768 AND mod(octet_length(leaves), 32) = 0",
            name=op.f("ck_draw_leaves_leaves"),
        ),
        sa.CheckConstraint("least = substr(leaves, 1, 32)", name=op.f("ck_draw_leaves_least")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_draw_leaves_root")),
        sa.ForeignKeyConstraint(["date"], ["draw_root.date"], name=op.f("fk_draw_leaves_date")),
        sa.PrimaryKeyConstraint("date", "chunk", name=op.f("pk_draw_leaves")),
        sa.UniqueConstraint("date", "least", name=op.f("uq_draw_leaves_date_least")),
    )
    op.create_table(
        "lottery_day",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("draws", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("draws >= 1", name=op.f("ck_lottery_day_draws")),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_lottery_day")),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "lottery_adjustment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("stock_id", sa.BigInteger(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("by", sa.BigInteger(), nullable=False),
        sa.Column("after_no", sa.BigInteger(), nullable=False),
        sa.Column("taken_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("by <> 0", name=op.f("ck_lottery_adjustment_by")),
        sa.CheckConstraint("after_no >= 0", name=op.f("ck_lottery_adjustment_after_no")),
        sa.CheckConstraint(
            "taken_on IS NULL OR (taken_on < date AND by < 0)", name=op.f("ck_lottery_adjustment_taken_on")
        ),
        sa.ForeignKeyConstraint(["stock_id"], ["lottery_stock.id"], name=op.f("fk_lottery_adjustment_stock_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lottery_adjustment")),
    )
    op.create_index(op.f("ix_lottery_adjustment_date"), "lottery_adjustment", ["date"], unique=False)
    for statement in draw_rules.CREATE:
        op.execute(statement)


def feature_column() -> sa.Column[str]:
    """The column of a row that is a feature's."""
    return sa.Column(
        "feature_type",
        sa.Enum(
            "ROULETTE",
            "DICE",
            "LOTTERY",
            "RANKING",
            "SEASON_PASS",
            name="feature_type",
            native_enum=False,
            create_constraint=True,
            length=None,
        ),
        nullable=False,
    )


def create_alarms() -> None:
    """What is counted of draws, and the alarms that come of it."""
    op.create_table(
        "draw_watch",
        feature_column(),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("feature_type", name=op.f("pk_draw_watch")),
    )
    op.create_table(
        "draw_tally",
        feature_column(),
        sa.Column("config_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("drawn_from", sa.ARRAY(sa.Integer()), nullable=False),
        sa.Column("outcome", sa.BigInteger(), nullable=False),
        sa.Column("draws", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("draws >= 1", name=op.f("ck_draw_tally_draws")),
        sa.PrimaryKeyConstraint(
            "feature_type", "config_id", "place", "drawn_from", "outcome", name=op.f("pk_draw_tally")
        ),
    )
    op.create_table(
        "draw_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        feature_column(),
        sa.Column("evidence", sa.Double(), nullable=False),
        sa.Column("draws", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("draws >= 1", name=op.f("ck_draw_alarm_draws")),
        sa.CheckConstraint("evidence > 1", name=op.f("ck_draw_alarm_evidence")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draw_alarm")),
    )
    op.create_index(
        "uq_draw_alarm_open",
        "draw_alarm",
        ["feature_type"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def drop_draws() -> None:
    """All of it, but what stands on it."""
    op.drop_index(op.f("ix_lottery_adjustment_date"), table_name="lottery_adjustment")
    for table in ("lottery_adjustment", "lottery_day", "draw_leaves", "draw_root", "draw_seed_sealed", "draw_seed"):
        op.drop_table(table)
    for statement in draw_rules.DROP:
        op.execute(statement)


def downgrade() -> None:
    for table in ("draw_alarm", "draw_tally", "draw_watch"):
        op.drop_table(table)
    drop_draws()
    op.drop_table("ledger_seal_leaf")
    op.drop_table("ledger_seal")
    op.drop_index(op.f("ix_season_pass_stamp_log_user_id_created_at"), table_name="season_pass_stamp_log")
    op.drop_table("season_pass_stamp_log")
    op.drop_index(op.f("ix_season_pass_reward_log_user_id_created_at"), table_name="season_pass_reward_log")
    op.drop_table("season_pass_reward_log")
    op.drop_index(op.f("ix_roulette_log_user_id_created_at"), table_name="roulette_log")
    op.drop_index(op.f("ix_roulette_log_business_date_created_at"), table_name="roulette_log", postgresql_using="brin")
    op.drop_table("roulette_log")
    op.drop_index(op.f("ix_lottery_log_user_id_created_at"), table_name="lottery_log")
    op.drop_index(op.f("ix_lottery_log_business_date_created_at"), table_name="lottery_log", postgresql_using="brin")
    op.drop_table("lottery_log")
    op.drop_index(op.f("ix_coupon_waiting_coupon_type_id"), table_name="coupon_waiting")
    op.drop_table("coupon_waiting")
    op.drop_constraint(op.f("fk_reward_ledger_coupon_id"), "reward_ledger", type_="foreignkey")
    op.drop_index("ix_coupon_code_free", table_name="coupon_code", postgresql_where=sa.text("line_no IS NULL"))
    op.drop_table("coupon_code")
    op.drop_index(
        "uq_user_event_log_feature_view",
        table_name="user_event_log",
        postgresql_where=sa.text("event_name = 'FEATURE_VIEW'"),
    )
    op.drop_index(op.f("ix_user_event_log_user_id_feature_type_event_name_created_at_id"), table_name="user_event_log")
    op.drop_index(op.f("ix_user_event_log_user_id_created_at"), table_name="user_event_log")
    op.drop_index(op.f("ix_user_event_log_feature_type_event_name_created_at_id"), table_name="user_event_log")
    op.drop_table("user_event_log")
    op.drop_table("season_pass_progress")
    op.drop_table("season_pass_level")
    op.drop_table("roulette_segment")
    op.drop_index("ix_reward_ledger_time", table_name="reward_ledger", postgresql_using="brin")
    op.drop_index(op.f("ix_reward_ledger_user_id_created_at"), table_name="reward_ledger")
    op.drop_index(
        "ix_reward_ledger_grants", table_name="reward_ledger", postgresql_where=sa.text("cause = 'ADMIN_GRANT'")
    )
    op.drop_index(
        "uq_reward_ledger_coupon_id",
        table_name="reward_ledger",
        postgresql_where=sa.text("coupon_id IS NOT NULL"),
    )
    op.drop_table("reward_ledger")
    op.drop_table("reward_balance")
    op.drop_index("uq_ranking_daily_date_external_id", table_name="ranking_daily")
    op.drop_table("ranking_daily")
    op.drop_table("lottery_prize")
    op.drop_table("lottery_stock")
    op.drop_index(op.f("ix_idempotency_key_created_at"), table_name="idempotency_key")
    op.drop_table("idempotency_key")
    op.drop_index(op.f("ix_dice_log_user_id_created_at"), table_name="dice_log")
    op.drop_index(op.f("ix_dice_log_business_date_created_at"), table_name="dice_log", postgresql_using="brin")
    op.drop_table("dice_log")
    op.drop_index(op.f("ix_audit_log_target_created_at_id"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_created_at_id"), table_name="audit_log")
    op.drop_index(op.f("ix_audit_log_actor_id_created_at_id"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_index(
        op.f("ix_user_tokens_valid_from"), table_name="user", postgresql_where=sa.text("tokens_valid_from IS NOT NULL")
    )
    op.drop_index("ix_user_external_id_prefix", table_name="user", postgresql_ops={"external_id": "text_pattern_ops"})
    op.drop_index(op.f("ix_user_created_at_id"), table_name="user")
    op.drop_table("user")
    op.drop_table("season_pass_config")
    op.drop_table("roulette_withdrawal")
    op.drop_index(op.f("ix_roulette_config_effective_from_revision"), table_name="roulette_config")
    op.drop_table("roulette_config")
    op.drop_table("ranking_revision")
    op.drop_table("lottery_withdrawal")
    op.drop_index(op.f("ix_lottery_config_effective_from_revision"), table_name="lottery_config")
    op.drop_table("lottery_config")
    op.drop_table("feature_schedule")
    op.drop_table("feature_config")
    op.drop_table("fact_revision")
    op.drop_table("dice_withdrawal")
    op.drop_index(op.f("ix_dice_config_effective_from_revision"), table_name="dice_config")
    op.drop_table("dice_config")
    for statement in (*revision_hashes.DROP, *DROP_CHAIN):
        op.execute(statement)
    for statement in DROP_CHANGES:
        op.execute(statement)
    for statement in drop_guards():
        op.execute(statement)
