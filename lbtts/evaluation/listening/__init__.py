"""A listening test for a panel: a page that asks, and what its answers say."""
