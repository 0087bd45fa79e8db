"""feedback: folds what people say into counts, evidence and a log of insights, and serves them to product teams."""
