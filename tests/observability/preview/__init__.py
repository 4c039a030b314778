"""Draws the dashboard's real answers to a picture: `python -m tests.observability.preview`."""
