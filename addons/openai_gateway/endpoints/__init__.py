"""Which of OpenAI's endpoints may be called."""
