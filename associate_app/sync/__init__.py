"""Sync with HQ: a pure state machine, and the thread that drives it with its own connection."""
