"""Replay and repair: records sent again, offsets moved, dead letters handled, states retold."""
