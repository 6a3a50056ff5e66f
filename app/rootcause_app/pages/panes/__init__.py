"""The panes of the Explorer: causes, what to examine next, what must not wait, the evidence so far."""
