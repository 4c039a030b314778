"""The corpus that judges the search for leaks: its makers know formats of keys, not our rules."""
