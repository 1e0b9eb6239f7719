"""The bad inputs, a module a class."""
