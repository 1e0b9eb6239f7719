"""Topics read by an operator's command: which stretch of them, and which of their records."""
