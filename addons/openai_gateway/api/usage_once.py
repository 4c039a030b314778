"""Under which id an answer is billed, and whether its bill is final: OpenAI shows the same usage
again wherever a stored answer is read, and it must be charged once."""

from typing import Final

# What is not over yet; a word that OpenAI adds later is taken for an end.
OPEN: Final = frozenset(
    {"queued", "in_progress", "validating", "finalizing", "cancelling", "requires_action"}
    | {"validating_files", "running", "paused", "pending"}
)
LONGEST_ID: Final = 256
_STORED: Final = ("chat.", "completions.", "responses.", "batches.", "fine_tuning.", "threads")
_MADE: Final = ("evals.runs.", "agents.sessions.", "videos.", "containers.create", "live.")


def charge_id(endpoint: str, answer: object) -> str | None:
    """The id under which the answer's bill is charged once: of a response, batch, job, session."""
    name = answer.get("id") if isinstance(answer, dict) else None
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
        return None
    return name if endpoint.startswith((*_STORED, *_MADE)) else None


def is_final(endpoint: str, answer: object) -> bool:
    """Whether what the answer tells is over; queued and background work is charged at its end.

    A video is charged when it is ordered: its price is known then, and who polls is not.
    """
    status = answer.get("status") if isinstance(answer, dict) else None
    if not isinstance(status, str) or endpoint.startswith(("videos.", "containers.", "agents.")):
        return True
    return status not in OPEN
