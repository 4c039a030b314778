"""How much may be sent in how much time, on one gateway or on many that share a store."""
