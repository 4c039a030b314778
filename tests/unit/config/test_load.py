"""Which files are accepted, and where and in which words each fault is told."""

import hashlib
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openai_gateway.config.load import find, load, read
from openai_gateway.config.problems import ConfigError

PRODUCTION = "sk-proj-" + "FAKE" * 10
STAGING = "sk-proj-" + "EKAF" * 10
OTHER = "sk-proj-" + "KEFA" * 10
ENV = {
    "OPENAI_API_KEY_PRODUCTION": PRODUCTION,
    "OPENAI_API_KEY_STAGING": STAGING,
    "OTHER": OTHER,
    "ADMIN": "sk-admin-" + "FAKE" * 10,
    "SESSION": "sess-" + "FAKE" * 10,
    "EMPTY": "",
    "SPACED": "sk-proj- FAKE",
    "LATIN": "sk-proj-é",
    "LOGIN": "ci:p@ss",
    "PROXY": "http://ci:p%40ss@proxy.example:3128",
    "DATABASE": "postgresql+psycopg://gw:" + "FAKEpassword@db.example/calls",
    "HOOK": "https://hooks.example/T0/FAKEFAKEFAKE",
}
KEYS = "keys: {}\n"


def problems(text: str, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text, ENV if environ is None else environ)
    told = [str(problem) for problem in caught.value.problems]
    for value in ENV.values():
        assert not value or value not in "\n".join(told)
    return told


BAD = [
    # what the file says, the one problem that is told: place and path, and a part of the words
    ("", "1:1: (file)", "is empty; it needs at least `keys`"),
    ("# nothing\n", "1:1: (file)", "is empty"),
    ("[1]", "1:1: (file)", "must be a mapping"),
    ("keys: [\n", "2:1: (file)", "is no YAML"),
    ("keys: {}\n---\nkeys: {}\n", "2:1: (file)", "is no YAML"),
    ("keys: {}\nlog: *nowhere\n", "2:6: (file)", "is no YAML: found undefined alias `nowhere`"),
    ("keys: {}\na: \x07\n", "2:1: (file)", "character that YAML does not allow"),
    ("keys: {}\na: " + "[" * 60 + "]" * 60, "2:35: (file)", "nested too deeply"),
    ("keys: {}\na: &a [*a]\n", "2:4: (file)", "fewer aliases"),
    ("keys: {}\na: &a {<<: [*a, *a]}\n", "2:12: (file)", "fewer aliases"),
    ("environment: staging\n", "1:1: keys", "is missing; add it"),
    ("keys:\n", "1:6: keys", "is empty; give it a value"),
    ("keys: 5\n", "1:7: keys", "must be a mapping of fields"),
    (KEYS + "upstrem: {}\n", "2:1: upstrem", "unknown field; did you mean `upstream`?"),
    (KEYS + "zzzzzz: 1\n", "2:1: zzzzzz", "unknown field; here may stand environment, "),
    (KEYS + "keys: {}\n", "2:1: keys", "is given twice (first on line 1)"),
    (KEYS + "log:\n  calls: all\n  calls: all\n", "4:3: log.calls", "twice (first on line 3)"),
    (
        KEYS + "shape:\n  faults:\n    - match: {model: a, model: b}\n      fault: reset\n",
        "4:25: shape.faults.0.match.model",
        "is given twice",
    ),
    (KEYS + "1: x\n", "2:1: 1", "unknown field"),
    (KEYS + "? [a]\n: x\n", "2:3: (file)", "has a name that is no text"),
    (KEYS + "log: !!python/name:os.system x\n", "2:6: log", "has a tag"),
    (KEYS + "log: !mine {}\n", "2:6: log", "has a tag"),
    (KEYS + "environment: prod\n", "2:14: environment", "`prod` is not one of staging, production"),
    (KEYS + "environment: Production\n", "2:14: environment", "did you mean `production`?"),
    (KEYS + "allow_exec: 'on'\n", "2:13: allow_exec", "must be true or false"),
    (KEYS + "allow_exec: 1\n", "2:13: allow_exec", "must be true or false"),
    (KEYS + "leaks: {mode: on}\n", "2:15: leaks.mode", "`on` is not one of off, observe, enforce"),
    (KEYS + "leaks: {mode: true}\n", "2:15: leaks.mode", "must be one of off, observe, enforce"),
    (KEYS + "leaks: {mode: false}\n", "2:15: leaks.mode", "must be one of off, observe, enforce"),
    (KEYS + "leaks: {mode: no}\n", "2:15: leaks.mode", "`no` is not one of off"),
    (KEYS + "log: {calls: off}\n", "2:14: log.calls", "`off` is not one of all, errors"),
    (KEYS + "leaks: {max_body_bytes: '5'}\n", "2:25: leaks.max_body_bytes", "whole number"),
    (KEYS + "leaks: {max_body_bytes: 5.0}\n", "2:25: leaks.max_body_bytes", "whole number"),
    (KEYS + "leaks: {max_body_bytes: 0x10}\n", "2:25: leaks.max_body_bytes", "whole number"),
    (KEYS + "leaks: {max_body_bytes: 010}\n", "2:25: leaks.max_body_bytes", "whole number"),
    (KEYS + "leaks: {max_body_bytes: 0}\n", "2:25: leaks.max_body_bytes", "must be at least 1"),
    (KEYS + "leaks: {max_body_bytes: true}\n", "2:25: leaks.max_body_bytes", "whole number"),
    (KEYS + "leaks: {rules: rules/pii.yaml}\n", "2:16: leaks.rules", "must be a list"),
    (KEYS + "leaks: {rules: [5]}\n", "2:17: leaks.rules.0", "must be a text; put it in quotes"),
    (KEYS + "leaks: {allow: [{reason: x}]}\n", "2:17: leaks.allow.0.rule", "is missing"),
    (KEYS + "leaks: {allow: [{rule: a, until: soon}]}\n", "2:34: leaks.allow.0.until", "no date"),
    (
        KEYS + "leaks: {allow: [{rule: a, value_sha256: ff}]}\n",
        "2:41: leaks.allow.0.val",
        "no sha256",
    ),
    (KEYS + "upstream: {hosts: []}\n", "2:19: upstream.hosts", "must not be empty"),
    (
        KEYS + "upstream: {hosts: [api.opena.com]}\n",
        "2:20: upstream.hosts.0",
        "mean `api.openai.com`",
    ),
    (KEYS + "upstream: {timeout_s: .inf}\n", "2:23: upstream.timeout_s", "must be a finite number"),
    (KEYS + "upstream: {timeout_s: .nan}\n", "2:23: upstream.timeout_s", "must be a finite number"),
    (KEYS + "upstream: {timeout_s: 0}\n", "2:23: upstream.timeout_s", "must be more than 0"),
    (KEYS + "upstream: {timeout_s: yes}\n", "2:23: upstream.timeout_s", "must be a number"),
    (KEYS + "upstream: {ca_file: nowhere.pem}\n", "2:21: upstream.ca_file", "cannot be read"),
    (KEYS + "upstream: {proxy: proxy.example}\n", "2:19: upstream.proxy", "http://HOST:PORT"),
    (KEYS + "upstream: {proxy: 'http://proxy.example'}\n", "2:19: upstream.proxy", "HOST:PORT"),
    (
        KEYS + "upstream: {proxy: 'http://a:b@p.example:1'}\n",
        "2:19: upstream.proxy",
        "by reference",
    ),
    (KEYS + "upstream: {proxy: 'env:NOWHERE'}\n", "2:19: upstream.proxy", "NOWHERE is not set"),
    (
        KEYS + "clients: {allow: [10.0.0.1/8]}\n",
        "2:19: clients.allow.0",
        "did you mean 10.0.0.0/8?",
    ),
    (KEYS + "clients: {allow: [everyone]}\n", "2:19: clients.allow.0", "is no network"),
    (
        KEYS + "clients: {names: {'a b': 10.0.0.0/8}}\n",
        "2:19: clients.names.(not shown)",
        "letters",
    ),
    (
        KEYS + "clients: {credentials: {ci: hunter2}}\n",
        "2:29: clients.credentials.ci",
        "no reference",
    ),
    (KEYS + "metrics: {listen: '0.0.0.0:9464'}\n", "2:19: metrics.listen", "is open to others"),
    (KEYS + "metrics: {listen: '[::]:9464'}\n", "2:19: metrics.listen", "is open to others"),
    (KEYS + "metrics: {listen: '127.0.0.1'}\n", "2:19: metrics.listen", "write it as HOST:PORT"),
    (KEYS + "metrics: {listen: '127.0.0.1:70000'}\n", "2:19: metrics.listen", "end at 65535"),
    (KEYS + "metrics: {listen: 'box:9464'}\n", "2:19: metrics.listen", "no address to listen on"),
    (KEYS + "metrics: {listen: 9464}\n", "2:19: metrics.listen", "must be a text"),
    (KEYS + "metrics: {tls: {cert: /dev/null}}\n", "2:11: metrics.tls.key", "is missing"),
    (KEYS + "limits: {tier: 6}\n", "2:16: limits.tier", "must be at most 5"),
    (KEYS + "limits: {store: mysql://x}\n", "2:17: limits.store", "write redis://"),
    (KEYS + "limits: {store: 'redis://:pw@h'}\n", "2:17: limits.store", "holds a password"),
    (KEYS + "limits: {rules: [{name: a}]}\n", "2:18: limits.rules.0", "limits nothing"),
    (
        KEYS + "limits: {rules: [{rpm: 1, per: [user]}]}\n",
        "2:33: limits.rules.0.per.0",
        "`user` is",
    ),
    (
        KEYS + "limits: {rules: [{name: a, rpm: 1}, {name: a, rpm: 1}]}\n",
        "2:17: limits.rules",
        "two entries named `a`",
    ),
    (KEYS + "budgets: [{name: a, usd: 1}]\n", "2:11: budgets.0.period", "is missing"),
    (KEYS + "budgets: [{name: a, usd: 0, period: day}]\n", "2:26: budgets.0.usd", "more than 0"),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: day, timezone: Mars/Base}]\n",
        "2:52: budgets.0.timezone",
        "is no time zone",
    ),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: day, webhook: 'env:OTHER'}]\n",
        "2:51: budgets.0.webhook",
        "refers to no URL",
    ),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: day, webhook: 'https://hooks.example/x'}]\n",
        "2:51: budgets.0.webhook",
        "is no reference",
    ),
    (KEYS + "budgets: [{name: a, usd: -1, period: day}]\n", "2:26: budgets.0.usd", "more than 0"),
    (KEYS + "budgets: [{name: a, period: day}]\n", "2:11: budgets.0.usd", "is missing"),
    (KEYS + "budgets: [{usd: 1, period: day}]\n", "2:11: budgets.0.name", "is missing"),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: yearly}]\n",
        "2:37: budgets.0.period",
        "not one of hour, day, week, month, total",
    ),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: day, alert_at: [0.5, 0]}]\n",
        "2:58: budgets.0.alert_at.1",
        "more than 0",
    ),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: day, alert_at: [80]}]\n",
        "2:53: budgets.0.alert_at.0",
        "at most 10",
    ),
    (
        KEYS + "budgets: [{name: a, usd: 1, period: day}, {name: a, usd: 2, period: week}]\n",
        "2:10: budgets",
        "two entries named `a`",
    ),
    (KEYS + "alerts: {webhooks: ['env:OTHER']}\n", "2:21: alerts.webhooks.0", "refers to no URL"),
    (KEYS + "alerts: {webhooks: env:HOOK}\n", "2:20: alerts.webhooks", "must be a list"),
    (KEYS + "log: {database: mysql://h/d}\n", "2:17: log.database", "sqlite:///var/calls.db"),
    (KEYS + "log: {database: 'postgresql+psycopg://a:b@h/d'}\n", "2:17: log.database", "password"),
    (KEYS + "shape: {latency: 5}\n", "2:18: shape.latency", "must be a mapping"),
    (KEYS + "shape: {latency: {m: {}}}\n", "2:19: shape.latency.m.ttft_ms", "is missing"),
    (
        KEYS + "shape: {latency: {m: {ttft_ms: {p50: 2, p95: 1}}}}\n",
        "2:32: shape.latency.m.ttft_ms",
        "a p95 below its p50",
    ),
    (KEYS + "shape: {faults: [{fault: explode}]}\n", "2:26: shape.faults.0.fault", "not one of"),
    (
        KEYS + "shape: {faults: [{fault: reset, probability: 2}]}\n",
        "2:46: shape.faults.0.probability",
        "at most 1",
    ),
    (KEYS + "replay: {match: []}\n", "2:17: replay.match", "must not be empty"),
    (KEYS + "checklist: {no_drif: off}\n", "2:13: checklist.no_drif", "did you mean `no_drift`?"),
    (KEYS + "checklist: {no_drift: on}\n", "2:23: checklist.no_drift", "not one of off"),
    (KEYS + "passthrough: [api.openai.com]\n", "2:15: passthrough.0", "OpenAI's own"),
    (KEYS + "passthrough: ['*.openai.com']\n", "2:15: passthrough.0", "OpenAI's own"),
    (KEYS + "passthrough: ['*.API.openai.com.:8443']\n", "2:15: passthrough.0", "OpenAI's own"),
    (KEYS + "passthrough: [OpenAI.com:80]\n", "2:15: passthrough.0", "OpenAI's own"),
    (KEYS + "passthrough: ['a.*.example']\n", "2:15: passthrough.0", "is no host"),
    (KEYS + "passthrough: ['https://a.example']\n", "2:15: passthrough.0", "no host and port"),
    (KEYS + "passthrough: ['127.1']\n", "2:15: passthrough.0", "is no host"),
    (KEYS + "passthrough: ['0x7f.1']\n", "2:15: passthrough.0", "is no host"),
    (KEYS + "passthrough: ['a.example:0']\n", "2:15: passthrough.0", "has port 0"),
    (KEYS + "endpoints: {allow: ['a b']}\n", "2:21: endpoints.allow.0", "no name or glob"),
]


@pytest.mark.parametrize(("text", "place", "words"), BAD, ids=[b[0][:60] for b in BAD])
def test_a_fault_is_told_once_at_its_place_with_the_fix(text: str, place: str, words: str) -> None:
    told = problems(text)
    assert len(told) == 1, told
    assert told[0].startswith(f"gateway.yaml:{place}")
    assert words in told[0]


def mapping(**fields: str) -> str:
    lines = "".join(f"      {name}: {value}\n" for name, value in fields.items())
    return f"keys:\n  mappings:\n    -\n{lines}"


BAD_KEYS = [
    ({"staging": "env:NOWHERE"}, "4:16: keys.mappings.0.staging", "NOWHERE is not set; export"),
    ({"staging": "env:EMPTY"}, "4:16: keys.mappings.0.staging", "is empty"),
    ({"staging": "env:SPACED"}, "4:16: keys.mappings.0.staging", "holds whitespace"),
    ({"staging": "env:LATIN"}, "4:16: keys.mappings.0.staging", "non-ASCII"),
    ({"staging": "env:ADMIN"}, "4:16: keys.mappings.0.staging", "is an admin key"),
    ({"staging": "env:SESSION"}, "4:16: keys.mappings.0.staging", "is a session key"),
    ({"staging": "env:1X"}, "4:16: keys.mappings.0.staging", "write env:NAME"),
    ({"staging": "{env: OTHER}"}, "4:16: keys.mappings.0.staging", "without a space"),
    ({"staging": "file:/nowhere/key"}, "4:16: keys.mappings.0.staging", "cannot be read (No such"),
    ({"staging": "file:/tmp"}, "4:16: keys.mappings.0.staging", "is no plain file"),
    ({"staging": """'exec:["echo", "x"]'"""}, "4:16: keys.mappings.0.staging", "allow_exec: true"),
    ({"staging": "hunter2"}, "4:16: keys.mappings.0.staging", "is no reference"),
    ({"staging": "$OPENAI_API_KEY"}, "4:16: keys.mappings.0.staging", "is no reference"),
    ({"staging": "null"}, "4:7: keys.mappings.0.staging", "is missing; name the staging key"),
    ({"name": "a"}, "4:7: keys.mappings.0.staging", "is missing; name the staging key"),
    (
        {"staging": "env:OPENAI_API_KEY_PRODUCTION"},
        "4:16: keys.mappings.0.staging",
        "is a production key of mapping `default`",
    ),
    (
        {"staging": "env:OTHER", "production": '["env:ADMIN"]'},
        "5:20: keys.mappings.0.production.0",
        "is an admin key",
    ),
    (
        {"staging": "env:OTHER", "production": "[]"},
        "5:19: keys.mappings.0.production",
        "must not be empty",
    ),
    (
        {"staging": "env:OTHER", "production": '["sha256:ff"]'},
        "5:20: keys.mappings.0.production.0",
        "64 hexadecimal digits",
    ),
    (
        {"staging": "env:OTHER", "name": "reject"},
        "5:13: keys.mappings.0.name",
        "has a meaning of its own",
    ),
    (
        {"staging": "env:OTHER", "organization": "'org x'"},
        "5:21: keys.mappings.0.organization",
        "cannot be sent in a header",
    ),
    (
        {"staging": "env:OTHER", "stagin": "x"},
        "5:7: keys.mappings.0.stagin",
        "did you mean `staging`?",
    ),
]


@pytest.mark.parametrize(("fields", "place", "words"), BAD_KEYS)
def test_a_mapping_that_cannot_hold_is_refused(
    fields: dict[str, str], place: str, words: str
) -> None:
    told = problems(mapping(**fields))
    assert len(told) == 1, told
    assert told[0].startswith(f"gateway.yaml:{place}: ")
    assert words in told[0]


def test_faults_between_mappings_are_told_beside_all_others() -> None:
    told = problems(
        "keys:\n"
        "  mappings:\n"
        "    - {name: a, production: ['env:OTHER'], staging: env:OPENAI_API_KEY_STAGING}\n"
        f"    - {{name: a, production: ['sha256:{hashlib.sha256(OTHER.encode()).hexdigest()}'],"
        " staging: env:OPENAI_API_KEY_STAGING}\n"
        "    - {name: b, production: ['env:OPENAI_API_KEY_STAGING'], staging: env:OTHER}\n"
        "  unknown: c\n"
        "  stagin: accept\n"
    )
    assert [line.split(": ", 2)[:2] for line in told] == [
        ["gateway.yaml:3:53", "keys.mappings.0.staging"],
        ["gateway.yaml:4:14", "keys.mappings.1.name"],
        ["gateway.yaml:4:30", "keys.mappings.1.production.0"],
        ["gateway.yaml:4:115", "keys.mappings.1.staging"],
        ["gateway.yaml:5:70", "keys.mappings.2.staging"],
        ["gateway.yaml:6:12", "keys.unknown"],
        ["gateway.yaml:7:3", "keys.stagin"],
    ]
    assert "mapping `a` already holds" in told[2]
    assert "one of `a`, `b`" in told[5]


def test_every_fault_is_told_at_once_in_the_order_of_the_lines() -> None:
    told = problems(
        "environment: stage\nkeys: {}\nleaks: {mode: on, rulez: []}\nlimits: {tier: 9}\n"
        "log: {calls: all, calls: all}\npassthrough: [openai.com]\n"
    )
    assert [line.split(":")[1] for line in told] == ["1", "3", "3", "4", "5", "6"]


@pytest.mark.parametrize(
    "text",
    [
        "keys: {mappings: [{production: [KEY], staging: 'env:OTHER'}]}",
        "keys: {}\nlog: {database: 'KEY'}",
        "keys: {}\nKEY: x",
        "keys: {}\nlog: {KEY: x, KEY: y}",
        "keys: {}\nclients: {names: {KEY: 10.0.0.0/8}}",
        "keys: {mappings: [{staging: 'env:KEY'}]}",
        """keys: {mappings: [{staging: 'exec:["echo", "KEY"]'}]}\nallow_exec: true""",
        "keys: {}\nlog: *KEY",
        "keys: {}\nlog: !KEY x",
        "keys: {}\nlog: |\n  KEY",
        "keys: {}\nlog: {calls: [&KEY a, *KEY2]}",
        "keys: {}\npassthrough: ['KEY.example']",
        "keys: {}\nlog: 'KEY",
        "keys: {}\nlog: KEY: KEY",
    ],
)
def test_a_literal_key_is_refused_wherever_it_stands_and_is_never_told(text: str) -> None:
    key = "sk-proj-" + "LITERALFAKE" * 4
    told = "\n".join(problems(text.replace("KEY", key)))
    assert "LITERALFAKE" not in told


def test_a_literal_key_is_told_with_the_fix_and_nothing_follows_from_it() -> None:
    told = problems("keys: {mappings: [{staging: KEY}]}".replace("KEY", PRODUCTION))
    assert len(told) == 1
    assert "holds a literal key; take it out" in told[0]


def test_defaults_are_those_of_the_contract() -> None:
    config = read(KEYS, ENV).config
    assert config.upstream.hosts == ("api.openai.com",)
    assert config.upstream.timeout_s == 600
    assert [str(net) for net in config.clients.allow] == [
        "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
    ]  # fmt: skip
    only = config.keys.mappings[0]
    assert only.name == "default"
    assert only.production[0].digest == hashlib.sha256(PRODUCTION.encode()).digest()
    assert only.staging is not None
    assert only.staging.secret.reveal() == STAGING
    assert (config.keys.staging, config.keys.unknown) == ("accept", "reject")
    assert (config.metrics.listen.host, config.metrics.listen.port) == ("127.0.0.1", 9464)
    assert config.log.database.secret.reveal() == "sqlite:///var/calls.db"
    assert (config.log.calls, config.errors.detail, config.models.mode) == (
        "all", "full", "enforce",
    )  # fmt: skip


def test_production_sets_its_own_defaults_and_needs_no_staging_key() -> None:
    text = "environment: production\nkeys: {mappings: [{name: a}]}\n"
    config = read(text, {"OPENAI_API_KEY_PRODUCTION": PRODUCTION}).config
    assert config.keys.mappings[0].staging is None
    assert (config.log.calls, config.errors.detail, config.models.mode) == (
        "errors", "public", "off",
    )  # fmt: skip


def test_what_the_file_says_wins_over_productions_defaults() -> None:
    config = read("environment: production\nkeys: {}\nlog: {calls: all}\n", ENV).config
    assert (config.log.calls, config.errors.detail) == ("all", "public")


@pytest.mark.parametrize("off", ["off", "Off", "OFF", "'off'", '"off"'])
def test_off_with_and_without_quotes_is_the_word(off: str) -> None:
    config = read(
        f"keys: {{}}\nleaks: {{mode: {off}}}\nchecklist: {{no_drift: {off}}}\n", ENV
    ).config
    assert config.leaks.mode == "off"
    assert config.checklist == {"no_drift": "off"}


@pytest.mark.parametrize(("said", "meant"), [("on", True), ("yes", True), ("off", False)])
def test_bare_words_are_booleans_where_a_boolean_is_expected(said: str, meant: bool) -> None:
    assert read(f"keys: {{}}\nallow_exec: {said}\n", ENV).config.allow_exec is meant


def test_words_of_yaml_1_1_are_names_where_a_name_is_expected() -> None:
    config = read("keys: {}\nclients: {names: {no: 10.0.0.0/8, on: 10.1.0.0/16}}\n", ENV).config
    assert list(config.clients.names) == ["no", "on"]


def test_a_value_alone_is_a_list_of_one_in_match() -> None:
    text = KEYS + "limits: {rules: [{rpm: 3, match: {model: 'gpt-5*', key: [a, b]}}]}\n"
    rule = read(text, ENV).config.limits.rules[0]
    assert rule.name == "rule-1"
    assert (rule.match.model, rule.match.key, rule.match.client) == (("gpt-5*",), ("a", "b"), None)


def test_merge_keys_give_way_to_the_mappings_own() -> None:
    config = read(
        "keys:\n  mappings:\n"
        "    - &base {name: a, production: ['env:OTHER'], staging: env:OPENAI_API_KEY_STAGING}\n"
        "    - {<<: *base, name: b, production: ['env:OPENAI_API_KEY_PRODUCTION']}\n",
        ENV,
    ).config
    second = config.keys.mappings[1]
    assert second.name == "b"
    assert second.staging is not None
    assert second.staging.secret.reveal() == STAGING


@pytest.mark.parametrize(
    ("proxy", "auth"),
    [
        ("http://proxy.example:3128", None),
        ("env:PROXY", "ci:p@ss"),
        ("http://env:LOGIN@proxy.example:3128", "ci:p@ss"),
        ("http://ci:env:OTHER@proxy.example:3128", f"ci:{OTHER}"),
    ],
)
def test_a_proxys_login_is_read_by_reference_and_not_shown(proxy: str, auth: str | None) -> None:
    found = read(f"{KEYS}upstream: {{proxy: '{proxy}'}}\n", ENV).config.upstream.proxy
    assert found is not None
    assert (found.scheme, found.host, found.port) == ("http", "proxy.example", 3128)
    assert (found.auth.secret.reveal() if found.auth else None) == auth
    assert "p@ss" not in repr(found) + str(found)


def test_passthrough_entries_cover_only_what_they_name_and_never_openai() -> None:
    text = KEYS + "passthrough: [A.example, '*.b.example:8443', '*.com', '10.0.0.5', '[::1]:5']\n"
    exact, wild, com, address, six = read(text, ENV).config.passthrough
    assert exact.covers("a.EXAMPLE.", 443)
    assert not exact.covers("a.example", 80)
    assert not exact.covers("x.a.example", 443)
    assert wild.covers("x.b.example", 8443)
    assert not wild.covers("b.example", 8443)
    assert com.covers("x.com", 443)
    assert not com.covers("api.openai.com", 443)
    assert (str(address.address), str(six)) == ("10.0.0.5", "[::1]:5")


def test_a_secret_of_a_database_url_is_not_shown() -> None:
    found = read(KEYS + "log: {database: 'env:DATABASE'}\n", ENV).config.log.database
    assert found.secret.reveal() == ENV["DATABASE"]
    assert "FAKEpassword" not in repr(found) + str(found)


def test_nothing_of_a_configuration_prints_a_secret() -> None:
    loaded = read(
        KEYS + "metrics: {token: 'env:OTHER'}\nalerts: {webhooks: ['env:HOOK']}\n"
        "clients: {credentials: {ci: 'env:LOGIN'}}\nupstream: {proxy: 'env:PROXY'}\n",
        ENV,
    )
    shown = (
        repr(loaded) + repr(loaded.config) + loaded.config.model_dump_json() + str(loaded.config)
    )
    for value in ENV.values():
        assert not value or value not in shown


def test_what_does_not_act_yet_is_accepted_with_a_warning() -> None:
    warnings = read(
        KEYS + "models:\n  substitute: {a: b}\n  deny: [c]\nreplay: {mode: record}\n", ENV
    ).warnings
    assert [str(warning) for warning in warnings] == [
        "gateway.yaml:5:1: replay: accepted, not yet in force in this version",
    ]


URLS = [
    # what a webhook refers to, and what is said of it; None: nothing
    ("https://hooks.example/T0/x", None),
    ("http://127.0.0.1:8080/hook", None),
    ("http://localhost/hook", None),
    ("http://[::1]/hook", None),
    ("http://hooks.example/x", "is http: others on the network can read its URL"),
    ("http://10.0.0.1/x", "is http: others on the network can read its URL"),
    ("ftp://hooks.example/x", "refers to no URL"),
    ("hooks.example/x", "refers to no URL"),
    ("https:///x", "refers to no URL"),
    ("https://hooks.example:99999/x", "refers to no URL"),
    ("https://hooks.example:0/x", "refers to no URL"),
    ("https://hooks.example/a b", "holds whitespace"),
    ("https://hooks.exämple/", "holds whitespace"),
    ("https://[::1/x", "refers to no URL"),
    ("https://ci:pass@hooks.example/x", "holds a user or password"),
]


@pytest.mark.parametrize(("url", "said"), URLS)
@pytest.mark.parametrize("own", [True, False])
def test_a_webhook_leads_somewhere_and_not_in_the_clear(
    url: str, said: str | None, own: bool
) -> None:
    budget = "budgets: [{name: a, usd: 1, period: day, webhook: 'env:URL'}]\n"
    text = KEYS + (budget if own else "alerts: {webhooks: ['env:HOOK', 'env:URL']}\n")
    place = "budgets.0.webhook: " if own else "alerts.webhooks.1: "
    environ = {**ENV, "URL": url}
    try:
        told = [str(one) for one in read(text, environ).warnings]
    except ConfigError as error:
        told = [str(problem) for problem in error.problems]
    assert len(told) == (said is not None)
    assert all(one.startswith("gateway.yaml:2:") and place + str(said) in one for one in told)
    assert url not in "".join(told)


def test_passthrough_to_every_host_warns() -> None:
    (warning,) = read(KEYS + "passthrough: ['*']\n", ENV).warnings
    assert str(warning).startswith(
        "gateway.yaml:2:15: passthrough.0: lets clients reach every host"
    )


def test_where_tells_the_line_of_a_field_or_of_what_is_around_it() -> None:
    loaded = read("keys:\n  mappings:\n    - name: a\n      staging: env:OTHER\n", ENV)
    assert loaded.where("keys.mappings.0") == "gateway.yaml:3"
    assert loaded.where("keys.mappings.0.staging") == "gateway.yaml:4"
    assert loaded.where("keys.mappings.0.project") == "gateway.yaml:3"
    assert loaded.where("upstream.hosts") == "gateway.yaml:1"


def test_without_a_file_two_variables_are_enough() -> None:
    loaded = load(None, ENV)
    assert loaded.config.keys.mappings[0].name == "default"
    assert (loaded.path, loaded.where("keys")) == (None, "environment")


def test_without_a_file_missing_variables_are_named_with_the_fix() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {"OPENAI_API_KEY_STAGING": STAGING})
    (problem,) = caught.value.problems
    assert str(problem).startswith(
        "environment:1:1: OPENAI_API_KEY_PRODUCTION: is not set; export OPENAI_API_KEY_PRODUCTION="
    )


def test_without_a_file_one_key_for_both_is_refused() -> None:
    with pytest.raises(ConfigError, match="OPENAI_API_KEY_STAGING: is a production key"):
        load(None, {"OPENAI_API_KEY_PRODUCTION": OTHER, "OPENAI_API_KEY_STAGING": OTHER})


def test_the_option_wins_over_the_variable_and_that_over_the_folder(tmp_path: Path) -> None:
    for name in ("gateway.yaml", "a.yaml", "b.yaml"):
        (tmp_path / name).write_text(KEYS)
    environ = {"OPENAI_GATEWAY_CONFIG": "b.yaml"}
    assert find("a.yaml", environ, tmp_path) == tmp_path / "a.yaml"
    assert find(None, environ, tmp_path) == tmp_path / "b.yaml"
    assert find(None, {}, tmp_path) == tmp_path / "gateway.yaml"
    assert find(None, {}, tmp_path / "..") is None


@pytest.mark.parametrize(
    ("option", "environ"), [("x.yaml", {}), (None, {"OPENAI_GATEWAY_CONFIG": "x"})]
)
def test_a_named_file_that_is_missing_is_a_fault(
    option: str | None, environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "gateway.yaml").write_text(KEYS)
    with pytest.raises(ConfigError, match="is no file that can be read"):
        find(option, environ, tmp_path)


def test_a_dangling_gateway_yaml_is_not_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").symlink_to("nowhere")
    with pytest.raises(ConfigError, match="is no file"):
        find(None, {}, tmp_path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"keys: {}\n\xff\n", "2:1: (file): is no UTF-8 text"),
        ("keys: {}\n".encode("utf-16"), "is no UTF-8 text"),
        (b"#" * (1024 * 1024 + 1), "is larger than 1048576 bytes"),
        (b"a: [" + b"1," * 60_000 + b"]", "too many values"),
    ],
    ids=["latin", "utf-16", "large", "many"],
)
def test_files_beyond_bounds_are_refused(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(path, ENV)
    assert words in str(caught.value)


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30)
    )
    assert "fewer aliases" in problems(bomb)[0]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes(b"\xef\xbb\xbfkeys: {}\n")
    assert load(path, ENV).root == tmp_path


def test_relative_paths_start_at_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(OTHER + "\n")
    (tmp_path / "key").chmod(0o600)
    path = tmp_path / "gateway.yaml"
    path.write_text("keys: {mappings: [{staging: 'file:key'}]}\n")
    loaded = load(path, ENV)
    staging = loaded.config.keys.mappings[0].staging
    assert staging is not None
    assert staging.secret.reveal() == OTHER
    assert loaded.secret_files == (tmp_path / "key",)
    assert loaded.path_of("var/x") == tmp_path / "var/x"
    assert loaded.warnings == ()


def test_loose_permissions_of_a_secret_file_warn_at_its_line(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(OTHER)
    (tmp_path / "key").chmod(0o644)
    path = tmp_path / "gateway.yaml"
    path.write_text("keys:\n  mappings:\n    - staging: file:key\n")
    (warning,) = load(path, ENV).warnings
    assert (warning.line, warning.path) == (3, "keys.mappings.0.staging")
    assert "mode is 0644" in warning.message


def test_a_bad_file_tells_which_secret_files_it_waits_for(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text("keys: {mappings: [{staging: 'file:key'}]}\n")
    with pytest.raises(ConfigError) as caught:
        load(path, ENV)
    assert caught.value.secret_files == (tmp_path / "key",)


WORDS = st.sampled_from(
    ["keys", "mappings", "staging", "mode", "off", "on", "limits", "rules", "match", "latency"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)


PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(st.dictionaries(st.sampled_from([*read(KEYS, ENV).config.model_fields_set]), VALUES))
def test_no_data_makes_the_loader_raise_anything_but_its_own_error(data: dict[str, object]) -> None:
    text = yaml.safe_dump(data, allow_unicode=True)
    try:
        read(text, ENV)
    except ConfigError as error:
        told = error.problems
    else:
        return
    assert told


@PATIENT
@given(st.text(alphabet=st.sampled_from("keys: {}[]&*!|>'\"\n-#%@`\t<,?x1~\x00é")))
def test_no_text_makes_the_loader_raise_anything_but_its_own_error(text: str) -> None:
    try:
        read("keys: {}\n" + text, ENV)
    except ConfigError as error:
        told = error.problems
    else:
        return
    assert told


def test_the_process_environment_is_not_read_behind_the_callers_back() -> None:
    os.environ["GATEWAY_TEST_ONLY"] = OTHER
    try:
        told = problems(mapping(staging="env:GATEWAY_TEST_ONLY"))
    finally:
        del os.environ["GATEWAY_TEST_ONLY"]
    assert "is not set" in told[0]
