"""Whether what a pattern found is a secret: checksums and formats, and what is none by its look."""
