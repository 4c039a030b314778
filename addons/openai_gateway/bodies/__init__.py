"""The two stages that read a body and refuse what cannot be read."""
