"""What crosses the wire: canonical JSON, ops, messages, dated protocol versions and the one table of problem codes."""
