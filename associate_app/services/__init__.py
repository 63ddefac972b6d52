"""What an associate does: one use case is one function and one transaction, over the ports."""
