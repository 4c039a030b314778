"""The demo's parts: the stage it plays on, the steps, and how they are told. Begin at main.py."""
