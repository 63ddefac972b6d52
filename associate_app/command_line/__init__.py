"""The `associate-app` command line: thin commands over the services; tables for people, JSON for programs."""
