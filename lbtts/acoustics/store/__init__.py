"""The file that holds all features, and batches out of it."""
