"""ingest: hears posts, proves who sent them, keeps them durably and hands them to the log."""
