"""The pages: thin functions that ask the model and lay out what the components draw."""
