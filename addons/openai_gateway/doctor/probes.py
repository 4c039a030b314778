"""Which probes there are, and in which order their findings are told."""

from typing import Final

from openai_gateway.doctor import (
    certificates,
    configuration,
    database,
    gateway,
    machine,
    outward,
    ports,
    store,
    trust,
)
from openai_gateway.doctor.finding import Probe

PROBES: Final = (
    Probe(("configuration",), configuration.problems),
    Probe(("keys",), configuration.keys),
    Probe(("allowances",), configuration.allowances),
    Probe(("data",), machine.data),
    Probe(("permissions",), machine.permissions),
    Probe(("versions",), machine.versions, elsewhere=True),
    Probe(("ca",), certificates.look, elsewhere=True),
    Probe(("trust",), trust.look, elsewhere=True),
    Probe(("ports",), ports.look, elsewhere=True),
    Probe(("database",), database.look),
    Probe(("store",), store.look),
    Probe(("upstream",), outward.upstream, outward=True),
    Probe(("direct_egress",), outward.direct_egress, elsewhere=True, outward=True),
    Probe(gateway.IDS, gateway.look, elsewhere=True),
)

ORDER: Final = (
    *("configuration", "keys", "allowances", "data", "permissions", "versions"),
    *("ca", "trust", "ports", "database", "store", "clock"),
    *("upstream", "direct_egress", "swap", "leaks", "streams"),
)
