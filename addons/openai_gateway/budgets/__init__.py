"""How much may be spent in a period: reserved before each call, settled after it, told in time."""
