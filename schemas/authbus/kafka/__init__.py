"""How we speak with Kafka: reached, followed, and left, also where it is away, slow or lies."""
