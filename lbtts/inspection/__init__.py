"""Pages for inspecting the results of the data stages."""
