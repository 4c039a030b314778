"""A harmless secret that a rule in force must find: one of its own examples, filled at random."""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from openai_gateway.config.model import Config
from openai_gateway.doctor.wire import Asked
from openai_gateway.leaks.engine.detector import Detector
from openai_gateway.leaks.rules.rule import Rule
from openai_gateway.leaks.rules.template import fill

PATH: Final = "/v1/moderations"  # free
_LONGEST: Final = 2_000


@dataclass(frozen=True, slots=True)
class Planted:
    """A text with the secret in it; `rule` is the rule's id."""

    rule: str
    text: str = field(repr=False)

    def asked(self, headers: Mapping[str, str]) -> Asked:
        """The request that must not leave."""
        body = json.dumps({"model": "omni-moderation-latest", "input": self.text}).encode()
        return Asked("POST", PATH, {**headers, "content-type": "application/json"}, body)


def planted(detector: Detector | None, config: Config) -> Planted | None:
    """Of the first rule that blocks, that nothing allows, and that finds its example alone."""
    if detector is None:
        return None
    found = (_of(rule, detector) for rule in detector.rules if _blocks(rule, config))
    return next((one for one in found if one is not None), None)


def _blocks(rule: Rule, config: Config) -> bool:
    if "openai" in rule.id:  # an OpenAI key is the tripwire's matter first
        return False
    allowed = any(fnmatchcase(rule.id, one.rule) for one in config.leaks.allow)
    return not allowed and (rule.action or config.leaks.action) == "block"


def _of(rule: Rule, detector: Detector) -> Planted | None:
    for template in rule.matches:
        text = fill(template, random.SystemRandom())
        if len(text) <= _LONGEST and [hit.rule.id for hit in detector.find(text)] == [rule.id]:
            return Planted(rule.id, text.decode("utf-8", "replace"))
    return None
