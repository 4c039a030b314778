"""The endpoint families, one module each: a table of routes and the shapes behind it."""
