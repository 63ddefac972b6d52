"""Webhooks: what other systems send by themselves, stored as it came and mapped by a file after that. Flow step 7."""
