"""Second factors: secrets of apps that make codes, which codes were used, recovery codes."""
