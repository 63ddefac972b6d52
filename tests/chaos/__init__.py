"""Real chaos: the programs as processes, killed, cut off and restored, against a truth written outside them."""
