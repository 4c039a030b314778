"""Secrets in files and staged changes, for `openai-gateway scan`."""
