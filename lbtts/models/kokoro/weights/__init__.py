"""Kokoro's weights: what is fixed about them, where they come from, how they are stored."""
