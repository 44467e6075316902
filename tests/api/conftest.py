"""What tests of subscriptions start from."""

from tests.api.subscribing import live, soon

__all__ = ["live", "soon"]
