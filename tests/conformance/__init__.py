"""A real HQ with planted hazards, and a check of what a foreign tablet made of it: shared/PROTOCOL.md's proof."""
