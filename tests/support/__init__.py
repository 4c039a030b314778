"""What the tests stand on: a fake OpenAI, a CONNECT relay, the real gateway, raw clients."""
