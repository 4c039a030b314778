"""What the call log tells: sums, rows, and the way of one call. It only ever reads."""
