"""Which number an answer hangs on, and what would change it: on any compiled network, and for a model's own numbers."""
