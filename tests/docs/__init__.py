"""Documentation that is made by the code: the error catalogue, and examples with their answers."""
