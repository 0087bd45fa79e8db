"""A candidate model over history: judged beside what stands, told as a comparison, promoted or discarded."""
