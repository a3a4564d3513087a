"""The network of the baseline, part by part."""
