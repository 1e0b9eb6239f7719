"""Each command once: what has been handled, and its answer without the secrets."""
