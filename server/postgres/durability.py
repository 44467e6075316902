"""Whether what PostgreSQL has confirmed survives a crash: settings that buy speed with what is acknowledged.

haru's sessions set `synchronous_commit` themselves. What others have set it to is told all the same, by name: whoever
turned it off did not know what it costs, and restores and other programs write, too.
"""

from __future__ import annotations

from typing import NamedTuple

WEAK_SETTINGS = """
SELECT name AS setting, setting AS found, 'on' AS expected FROM pg_settings
WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'
UNION ALL
SELECT 'synchronous_commit', reset_val, 'on, or remote_apply' FROM pg_settings
WHERE name = 'synchronous_commit' AND reset_val NOT IN ('on', 'remote_apply')
UNION ALL
SELECT concat_ws(' of ', 'synchronous_commit', 'role ' || r.rolname, 'database ' || d.datname), set.value,
    'on, or remote_apply'
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
CROSS JOIN LATERAL (
    SELECT lower(split_part(setting, '=', 2)) AS value FROM unnest(s.setconfig) AS setting
    WHERE setting LIKE 'synchronous_commit=%'
) AS set
WHERE set.value NOT IN ('on', 'true', 'yes', '1', 'remote_apply')
    AND (s.setdatabase = 0 OR d.datname = current_database())
    AND (s.setrole = 0 OR r.rolname = session_user OR r.rolname = ANY ($1::text[]))
ORDER BY 1
"""
"""Settings under which what is confirmed may be lost: the server's, this database's, these roles' and one's own."""


class WeakSetting(NamedTuple):
    """A setting with what it is and what it has to be; `setting` names the role and the database that it is set on."""

    setting: str
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.setting} is {self.found}, and has to be {self.expected}"
