"""All kinds of secrets of the corpus, and the strong ones that the other groups hide.

Strong are those with a fixed beginning and a fixed length or a checksum: only these can be looked
for in text that was taken apart, and so only these are fair there.
"""

from typing import Final

from tests.leaks import (
    kinds_ai,
    kinds_cloud,
    kinds_code,
    kinds_plain,
    kinds_services,
    kinds_tickets,
)
from tests.leaks.kind import Kind

KINDS: Final[tuple[Kind, ...]] = (
    *kinds_ai.ALL,
    *kinds_cloud.ALL,
    *kinds_code.ALL,
    *kinds_tickets.ALL,
    *kinds_services.ALL,
    *kinds_plain.ALL,
)
BY_NAME: Final = {kind.name: kind for kind in KINDS}
STRONG: Final = tuple(
    BY_NAME[name]
    for name in (
        "openai-project",
        "openai-service",
        "anthropic-api",
        "github-classic",
        "npm",
        "groq",
        "sendgrid",
        "digitalocean-personal",
    )
)
