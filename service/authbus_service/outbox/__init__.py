"""What is still to be said: rows written with the effect, deleted once the relay has said them."""
