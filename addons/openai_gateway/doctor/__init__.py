"""Whether this machine is set up: each fault with its evidence and its fix."""
