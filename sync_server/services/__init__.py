"""What HQ does: intake, feed, ingest, identity, playbook, over the ports; one use case is one transaction."""
