"""Secrets in OpenAI's answers: reported from a copy, or redacted as the answer passes."""
