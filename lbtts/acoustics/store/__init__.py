"""The feature file, and batches read from it."""
