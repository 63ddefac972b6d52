"""Real chaos: the programs themselves as processes, killed, cut off and restored, against a truth written outside them."""
