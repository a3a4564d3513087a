"""Kokoro as a trainable network: its facts, weights, voice table and losses."""
