"""Which metrics a gateway exposes, and with which labels: what a query may ask for."""

from openai_gateway.telemetry.labels import Labels as Names
from openai_gateway.telemetry.metrics import Metrics, Versions
from scripts.dashboard.query import Labels


def families() -> Labels:
    """The labels of each family of a new gateway, and of its process."""
    metrics = Metrics(Names(), Versions("", "", ""))
    process = [family.name for family in metrics.registry.collect()]
    return {
        **{name: () for name in process if name.startswith("process_")},
        **{name + "_total": () for name in process if name == "process_cpu_seconds"},
        **{family.name: family.labels for family in metrics.declared},
    }
