"""What came out of the data stages, to look at and to listen to."""
