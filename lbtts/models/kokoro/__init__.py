"""Kokoro: its weights, network, voice tables, training recipe and release."""
