"""Bringing a database to the expected revision, and telling whether it is there."""
