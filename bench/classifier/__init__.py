"""The classifier alone, on one core: posts a second of each stage and of the cascade, and what it holds in memory."""
