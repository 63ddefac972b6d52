"""Plays: conditions with their trace, ranking, suppression, holdout, and the playbook they stand in."""
