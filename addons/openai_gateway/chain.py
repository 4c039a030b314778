"""The stages in their order, put together from the configuration: the page to read first.

    route ▶ content ▶ tripwire ▶ keys.identify ▶ endpoints ▶ body ▶ leaks ▶ models
    ▶ budgets ▶ limits ▶ faults ▶ latency ▶ accounting ▶ keys.attach

`faults` and `latency` are there where `shape` asks for them. The tripwire comes before every
refusal but the destination's, so that a production key out of place is always named as such. The
staging key is attached last: whatever fails before that leaves a call without any key.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from openai_gateway.accounting.bodies import Redact
from openai_gateway.accounting.stage import Accounting
from openai_gateway.bodies.stage import CheckContent, ReadContent
from openai_gateway.budgets.stage import Budgets
from openai_gateway.config.load import Loaded
from openai_gateway.config.model import Config
from openai_gateway.config.places import Proxy
from openai_gateway.core.call import Call
from openai_gateway.core.clock import SystemClock
from openai_gateway.core.secret import Secret, mask
from openai_gateway.core.stage import Message, Stage
from openai_gateway.core.verdict import Refusal, Refuse
from openai_gateway.endpoints.stage import Endpoints, NameEndpoint
from openai_gateway.keys.attach import Attach
from openai_gateway.keys.identify import Identify
from openai_gateway.keys.mapping import KeyRing
from openai_gateway.keys.minted import MINTING
from openai_gateway.keys.tripwire import Tripwire, TripwireStage
from openai_gateway.leaks.engine.detector import Detector
from openai_gateway.leaks.kept import without_secrets
from openai_gateway.leaks.stage import Leaks
from openai_gateway.limits.stage import Limits
from openai_gateway.rulebook import Rulebook
from openai_gateway.services import Services, known_secrets
from openai_gateway.staging.faults import Faults
from openai_gateway.staging.latency import Slowed
from openai_gateway.staging.models import Models

SHORTEST_MASKED: Final = 16


@dataclass(frozen=True, slots=True)
class Chain:
    """One configuration's corridor. `masks` are the keys that no answer may show."""

    stages: tuple[Stage, ...]
    messages: tuple[Message, ...]
    services: Services
    rules: Rulebook
    environment: str
    max_body: int
    full_detail: bool
    proxy: Proxy | None
    timeout_s: float
    kept_bytes: int  # of each body, where log.bodies keeps any
    redact: Redact = field(repr=False)  # of what is kept
    masks: tuple[bytes, ...] = field(repr=False)
    tripwire: TripwireStage = field(repr=False)
    leaks: Leaks = field(repr=False)
    limits: Limits = field(repr=False)
    budgets: Budgets = field(repr=False)

    def head_refusal(self, call: Call) -> Refusal | None:
        """What a call's head alone is refused for: a production key out of place."""
        verdict = self.tripwire.head(call)
        return verdict.refusal if isinstance(verdict, Refuse) else None

    def wants_answer(self, call: Call) -> bool:
        """Whether the answer's body has to be read: it may hand out an ephemeral key."""
        return call.endpoint in MINTING

    def clean(self, call: Call) -> None:
        """The call's row comes next: no secret may stand in it."""
        self.leaks.clean(call)

    def learn(self, call: Call, answer: bytes) -> None:
        """Remembers an ephemeral key that this answer hands out."""
        self.services.minted.learn(call.endpoint, call.key, answer)


type Build = Callable[[Loaded, Rulebook, Services], Chain]


def build(loaded: Loaded, rules: Rulebook, services: Services) -> Chain:
    """The corridor of one configuration, which was judged before, as its rule files were."""
    config = loaded.config
    models = Models(config.models, rules.prices, rules.capabilities)
    leaks = Leaks(config.leaks, rules.detector, SystemClock())
    held = services.holdings
    limits = Limits(config.limits, rules.rulings, held.limits, config.environment)
    budgets = Budgets(
        config.budgets,
        rules.prices,
        held.ledger,
        held.clock,
        lately=held.lately,
        assume_max=config.models.unpriced == "assume_max",
        where=loaded.where,
        webhooks=[one.secret for one in config.alerts.webhooks],
    )
    ring = KeyRing.from_config(config.keys)
    tripwire = TripwireStage(Tripwire(ring.productions()))
    limit = config.leaks.max_body_bytes
    masks = masks_of(known_secrets(config))
    return Chain(
        stages=(
            NameEndpoint(services.endpoints),
            ReadContent(limit),
            tripwire,
            Identify(ring, services.minted),
            Endpoints(services.endpoints, config.endpoints),
            CheckContent(),
            leaks,
            models,
            budgets,
            limits,
            *shaping(config, rules),
            Accounting(rules.prices, services.charged),
            Attach(ring),
        ),
        messages=(tripwire, leaks, models),
        services=services,
        rules=rules,
        environment=config.environment,
        max_body=limit,
        full_detail=config.errors.detail == "full",
        proxy=config.upstream.proxy,
        timeout_s=config.upstream.timeout_s,
        tripwire=tripwire,
        leaks=leaks,
        limits=limits,
        budgets=budgets,
        kept_bytes=config.log.bodies_max_bytes if config.log.bodies != "off" else 0,
        redact=partial(for_log, masks=masks, detector=rules.detector),
        masks=masks,
    )


def shaping(config: Config, rules: Rulebook) -> Iterator[Stage]:
    """Where nothing is shaped, nothing is asked."""
    shape = config.shape
    if shape.mode != "off" and shape.faults:
        yield Faults(shape, config.environment, config.upstream.timeout_s)
    if shape.mode != "off" and rules.latency:
        yield Slowed(shape.mode, shape.seed, rules.latency)


def masks_of(secrets: Iterable[Secret]) -> tuple[bytes, ...]:
    """What no answer may show, as it stands there. A short value would be found in many a word."""
    keys = (secret.reveal().encode() for secret in secrets)
    return tuple(key for key in keys if len(key) >= SHORTEST_MASKED)


def for_log(data: bytes, *, masks: tuple[bytes, ...], detector: Detector | None) -> bytes | None:
    """A body as it may be kept: what leaves as it is, or comes back, may still hold a secret."""
    data = mask(data, masks)
    return without_secrets(data, detector, SystemClock()) if detector is not None else data
