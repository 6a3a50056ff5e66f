"""The panes of the page on sensitivity: one question of a modeler each."""
