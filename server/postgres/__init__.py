"""The embedded PostgreSQL. Its keeper is started by the standard library alone: nothing may be imported here."""
