"""Pronunciations of words that no lexicon has."""
