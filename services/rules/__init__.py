"""Deciding, as pure functions: no database, no clock, no GraphQL."""
