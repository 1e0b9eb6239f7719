"""The pictures of the README: measured on a real stack, drawn from what was stored."""
