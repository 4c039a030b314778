"""A machine to be looked at: a folder with a gateway.yaml, an environment, what was asked for."""

from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from openai_gateway.doctor.finding import Finding, Told
from openai_gateway.doctor.site import Site, Wish, survey
from tests.support.gateway_process import environment, free_port, fresh_keys, merged

KEYS = fresh_keys()


def site(
    folder: Path,
    config: dict[str, Any] | None = None,
    env: dict[str, str] | None = None,
    now: datetime | None = None,
    **wish: Any,
) -> Site:
    """With both keys and no leak rules, which take a second to compile, where nothing else is
    said."""
    said = merged(
        {"keys": {}, "leaks": {"mode": "off"}, "metrics": {"listen": "127.0.0.1:0"}}, config or {}
    )
    path = folder / "gateway.yaml"
    path.write_text(yaml.safe_dump(said))
    path.chmod(0o644)
    wished = {"listen": ("127.0.0.1", free_port()), **wish}
    return survey(Wish(str(path), **wished), {**environment(KEYS), **(env or {})}, folder, now)


def only(told: Told) -> Finding:
    """The one finding of a probe."""
    (found,) = told.findings
    return found
