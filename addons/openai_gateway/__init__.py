"""OpenAI API gateway for staging: what may leave, with which key, and what it cost."""

__version__ = "0.1.0"
