"""Makes Grafana's JSON of deploy/grafana/dashboard.yaml, which is what one reads and changes."""

from scripts.dashboard.document import drawn
from scripts.dashboard.families import families
from scripts.dashboard.source import read

__all__ = ["dashboard"]


def dashboard() -> str:
    """deploy/grafana/dashboards/openai-gateway.json, for the metrics of this gateway."""
    return drawn(read(), families())
