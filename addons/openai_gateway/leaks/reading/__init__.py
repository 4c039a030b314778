"""Reads a call's texts through what is coded in them, and redacts where a secret stands."""
