"""Questions about evidence that can be asked of any compiled network: why, how well it fits, what to ask next."""
