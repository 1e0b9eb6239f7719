"""Users: an account, its address, its password's hash."""
