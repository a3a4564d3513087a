"""Mel, F0 and energy on Kokoro's grid, and the file that holds them."""
