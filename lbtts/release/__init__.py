"""The listening report and the model card."""
