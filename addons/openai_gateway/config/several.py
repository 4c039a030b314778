"""What several worker processes on one port must share, and whether a configuration says where.

In the memory of each of N processes, limits and budgets would be N times as wide as they read.
"""

from dataclasses import replace
from typing import Final

from openai_gateway.config.load import Loaded
from openai_gateway.config.policy import Limits
from openai_gateway.config.problems import ConfigError, Problem
from openai_gateway.config.secrets import Reference

MEMORY: Final = "memory"
_NAMED: Final = "name a store that all of them share (redis://…), or run --workers 1"
_USED: Final = "the store that the file names is used from the next SIGHUP or restart on"


def shared(loaded: Loaded, workers: int, in_use: Reference | None = None) -> Loaded:
    """The configuration as one of `workers` processes uses it, with its own part in an outage.

    `in_use` is the store that a running process has, whatever the file says now. Raises:
    ConfigError where limits or budgets would not be shared.
    """
    limits = loaded.config.limits
    if workers > 1 and (_limits(limits) or loaded.config.budgets):
        if _is_memory(limits.store):
            raise ConfigError((_problem(loaded, workers, _NAMED),), loaded.secret_files)
        if in_use is not None and _is_memory(in_use):
            raise ConfigError((_problem(loaded, workers, _USED),), loaded.secret_files)
    each = limits.model_copy(update={"instances": limits.instances * workers})
    return replace(loaded, config=loaded.config.model_copy(update={"limits": each}))


def _limits(limits: Limits) -> bool:
    """Whether anything is counted; what observe counts must be right too."""
    named = (limits.rules, limits.tier, limits.profile)
    return limits.mode != "off" and any(named)


def _is_memory(store: Reference) -> bool:
    return store.secret.reveal() == MEMORY


def _problem(loaded: Loaded, workers: int, fix: str) -> Problem:
    message = (
        f"is memory, which {workers} workers do not share: limits and budgets would be {workers} "
        f"times too wide; {fix}"
    )
    place = loaded.lines.place(("limits", "store"))
    return Problem(str(loaded.path or loaded.lines.name), *place, "limits.store", message)
