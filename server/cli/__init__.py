"""The `haru` command."""
