"""The checks of the project. Run them all with `python -m tests`."""
