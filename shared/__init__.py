"""The core both apps share: pure values and rules. No clock, disk, network, chance or logging in here."""
