"""What leaves the project: metrics, the listening report, the exported voice."""
