"""The command `openai-gateway`: one file a command."""
