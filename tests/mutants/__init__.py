"""Whether the tests would notice: `make mutants` puts small faults into the code and runs the tests that cover them."""
