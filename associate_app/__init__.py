"""The tablet: scan, card, plays, outcome and sync, all from the local database. Never imports sync_server."""
