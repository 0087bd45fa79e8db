"""The embedded stack: a real Kafka and a real PostgreSQL on this machine, without Docker and without Java."""
