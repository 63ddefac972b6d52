"""A whole chain in one process under one seed: real tablets, real server, virtual time, every fault of the protocol."""
