"""The command line's tables: names, options and help of each command, and no work."""
