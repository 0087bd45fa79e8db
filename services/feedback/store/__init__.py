"""All SQL of feedback: `folding` writes the read models, the rest reads them."""
