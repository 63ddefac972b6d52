"""Twenty ways to get the sync wrong, applied to the real code at run time; the simulation must notice each."""
