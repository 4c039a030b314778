"""What a request holds: codings undone, kinds checked, hidden texts laid open."""
