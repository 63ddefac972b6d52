"""Pieces that several screens draw with: the sync pill, stage chip, play card, picture."""
