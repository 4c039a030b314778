"""Reading for secrets, and redacting in place: what the rest of the gateway calls."""

from openai_gateway.leaks.edits import Edit
from openai_gateway.leaks.ledger import Done, Finding, Judge
from openai_gateway.leaks.read_body import Reading, read_body, read_text
from openai_gateway.leaks.read_head import HeadReading, read_head

__all__ = [
    "Done",
    "Edit",
    "Finding",
    "HeadReading",
    "Judge",
    "Reading",
    "read_body",
    "read_head",
    "read_text",
]
