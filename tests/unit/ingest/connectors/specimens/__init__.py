"""One file a network, each with SPECIMEN."""
