"""What auditors read: failed guesses, counted so that a flood of them is few records."""
