"""The measured claims, one command each: `python -m benchmarks.play`."""
