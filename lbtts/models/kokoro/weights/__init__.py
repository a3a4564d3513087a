"""Kokoro's weights: constants, sources, storage."""
