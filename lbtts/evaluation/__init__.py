"""How good a voice is, in figures."""
