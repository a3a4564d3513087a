"""Mel, F0 and energy on Kokoro's grid, measured for each utterance."""
