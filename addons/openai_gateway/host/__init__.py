"""Everything that touches mitmproxy; no other folder imports it."""
