"""What tests of the embedded PostgreSQL start from."""

from tests.server.embedded import state, user

__all__ = ["state", "user"]
