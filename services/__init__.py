"""The domain: what happens, to whom, and when it may."""
