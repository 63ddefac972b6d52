"""The outside world behind the ports: SQLite, HTTP, the code reader, the key store and the clock."""
