"""What is fast and by how much: contestants in turns on the real Kafka and PostgreSQL, compared within one run."""
