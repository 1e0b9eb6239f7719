"""What tests stand on: the consumers on real servers, and a producer that can do everything wrong."""
