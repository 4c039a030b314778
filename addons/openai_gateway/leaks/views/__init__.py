"""What a text may be besides what it says: turned round, taken apart, spelled in codes."""
