"""Which secrets leave with a call or come back with its answer, and what is done about each."""
