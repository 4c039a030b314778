"""What is written down of every call: the row, its table, and the thread that writes it."""
