"""Luxembourgish: its phones, its numbers, how it is written and stressed."""
