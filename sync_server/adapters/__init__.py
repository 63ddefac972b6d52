"""The outside world behind the ports: the central database, importers and the clock."""
