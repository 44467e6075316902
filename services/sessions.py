"""What each session of haru's is set to, whatever the database, the role or the address says."""

from __future__ import annotations

from collections.abc import Mapping

SESSION: Mapping[str, str] = {
    "timezone": "UTC",
    "datestyle": "ISO, YMD",
    "intervalstyle": "postgres",
    "default_transaction_isolation": "read committed",  # what is loaded behind a lock must be what is there by then
    "synchronous_commit": "on",  # what is confirmed is on disk, and on the standby that the server waits for
    "jit": "off",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "idle_session_timeout": "0",  # pools and listeners wait
}

HOT_SESSION: Mapping[str, str] = {
    **SESSION,
    # The hot statements join tiny arrays to huge tables by key, whatever the statistics say: plan once, by index.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}

PATIENT_SESSION: Mapping[str, str] = {
    **SESSION,
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
"""Of who changes or verifies tables: it sets the time-outs that it needs as it goes."""

LONG_SESSION: Mapping[str, str] = {
    **PATIENT_SESSION,
    "idle_in_transaction_session_timeout": "60s",  # whoever is gone holds no snapshot for long
    "enable_seqscan": "off",  # look-ups in what is still empty when it is planned
}
"""Of who seals the ledger: it reads and writes as many rows as there are, in one transaction."""

OWN_SETTINGS = frozenset({*HOT_SESSION, "lock_timeout"})
"""What an address sets in vain."""


def setting_statement(settings: Mapping[str, str]) -> str:
    """The statement that sets a session.

    Start-up parameters would cost no round trip, but PgBouncer refuses them, or drops them without a word.
    """
    calls = (f"set_config({_literal(name)}, {_value(name, value)}, false)" for name, value in settings.items())
    return f"SELECT {', '.join(calls)}"


def _value(name: str, value: str) -> str:
    """What a session is set to: never to less than somebody has already asked for."""
    if name != "synchronous_commit":
        return _literal(value)
    return f"CASE current_setting('{name}') WHEN 'remote_apply' THEN 'remote_apply' ELSE {_literal(value)} END"


def _literal(text: str) -> str:
    return "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
