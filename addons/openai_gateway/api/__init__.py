"""What OpenAI's API is like: data with dates wherever it can be data, pure functions elsewhere."""
