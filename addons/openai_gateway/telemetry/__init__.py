"""What the outside sees of the gateway while it runs: its metrics, and whether it is ready."""
