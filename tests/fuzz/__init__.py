"""Bad inputs of every class, each alone and between good records: each has its one outcome."""
