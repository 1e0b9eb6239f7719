"""What tests stand on: consumers on real servers, a producer that can do everything wrong."""
