"""Metrics of a voice on held-out utterances."""
