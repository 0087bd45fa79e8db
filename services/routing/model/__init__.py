"""The shipped weights and how they are made: the training text, the training and the evaluation."""
