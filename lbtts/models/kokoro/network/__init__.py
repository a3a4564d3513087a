"""Kokoro as a trainable network, and its losses."""
