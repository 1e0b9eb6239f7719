"""`authbus watch`: what happens is shown as it comes, and nothing is touched."""
