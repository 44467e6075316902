"""The audit: what ought to be in the database, worked out anew from what else is in it, and compared."""
