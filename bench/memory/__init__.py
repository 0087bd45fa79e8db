"""What a long load leaves behind in the memory of ingest."""
