"""What keeps a revision's hash true: SQL that the migration makes, and no table.

The hash is the SHA-256, in hex, of the RFC 8785 form (JSON Canonicalization Scheme) of all that a revision says: the
columns of its row and of its parts, but ids, what is left of stocks, and dates. The application writes it with the
revision; the database computes it for itself, and refuses a revision, or one more part of it, that it is not the hash
of.
"""

from __future__ import annotations

CANONICAL_FUNCTION = """
CREATE FUNCTION haru_canonical(value jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN CASE jsonb_typeof(value)
        WHEN 'object' THEN '{' || (
            SELECT coalesce(
                string_agg(to_json(key)::text || ':' || haru_canonical(one), ',' ORDER BY key COLLATE "C"), '')
            FROM jsonb_each(value) AS pair(key, one)) || '}'
        WHEN 'array' THEN '[' || (
            SELECT coalesce(string_agg(haru_canonical(one), ',' ORDER BY place), '')
            FROM jsonb_array_elements(value) WITH ORDINALITY AS element(one, place)) || ']'
        WHEN 'string' THEN to_json(value #>> '{}')::text
        ELSE value::text
    END;
END
$$
"""
"""RFC 8785 for what there is in a revision: names in ASCII, texts in UTF-8, and whole numbers."""

HASH_FUNCTION = """
CREATE FUNCTION haru_check_revision_hash() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    config text := TG_ARGV[0];
    parts text := TG_ARGV[1];
    written bigint[];
    revision jsonb;
    content jsonb;
    made_of jsonb;
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        written := ARRAY[NEW.id];
    ELSE
        written := ARRAY(SELECT DISTINCT config_id FROM added);
    END IF;
    FOR revision IN EXECUTE format('SELECT to_jsonb(c) FROM %I c WHERE c.id = ANY ($1)', config) USING written LOOP
        content := revision - ARRAY['id', 'hash', 'published_at', 'effective_from', 'effective_until'];
        IF parts IS NOT NULL THEN
            EXECUTE format(
                'SELECT coalesce(jsonb_agg(to_jsonb(p) - ARRAY[''id'', ''config_id'', ''stock_id'']'
                ' ORDER BY p.%I), ''[]'') FROM %I p WHERE p.config_id = $1', TG_ARGV[3], parts)
                INTO made_of USING (revision -> 'id')::bigint;
            content := content || jsonb_build_object(TG_ARGV[2], made_of);
        END IF;
        IF revision ->> 'hash' <> encode(sha256(convert_to(haru_canonical(content), 'UTF8')), 'hex') THEN
            RAISE EXCEPTION 'revision % of % does not have the hash of what it says', revision -> 'revision', config
                USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$
"""

GAMES = (
    ("dice_config",),
    ("roulette_config", "roulette_segment", "segments", "slot"),
    ("lottery_config", "lottery_prize", "prizes", "position"),
)
"""Each game's revisions; the table of what they are made of, what it is called in them, and its order."""


def _triggers(config: str, *parts: str) -> list[str]:
    """The revision is checked when its transaction ends, and all that is added to it at once."""
    arguments = ", ".join(f"'{argument}'" for argument in (config, *parts))
    check = f"EXECUTE FUNCTION haru_check_revision_hash({arguments})"
    made = [
        f"CREATE CONSTRAINT TRIGGER {config}_hash AFTER INSERT ON {config} DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW {check}"
    ]
    if parts:
        made.append(
            f"CREATE TRIGGER {parts[0]}_hash AFTER INSERT ON {parts[0]} REFERENCING NEW TABLE AS added"
            f" FOR EACH STATEMENT {check}"
        )
    return made


CREATE = (CANONICAL_FUNCTION, HASH_FUNCTION, *(trigger for game in GAMES for trigger in _triggers(*game)))
DROP = ("DROP FUNCTION haru_check_revision_hash()", "DROP FUNCTION haru_canonical(jsonb)")
"""After the tables, which take their triggers along."""
