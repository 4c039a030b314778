"""That every finding comes, in order and without a secret, whatever one probe does."""

import threading
from pathlib import Path

import pytest

from openai_gateway.doctor.finding import Finding, Part, Probe, Told, told, unknown
from openai_gateway.doctor.probes import ORDER, PROBES
from openai_gateway.doctor.run import examine
from openai_gateway.doctor.site import Site, Wish, survey
from tests.unit.doctor.rig import KEYS, site


def says(name: str, evidence: str) -> Probe:
    return Probe((name,), lambda _: told(name, [Part("pass", evidence, "x")]), elsewhere=True)


def test_one_that_raises_is_unknown_by_its_name_and_ends_no_other(tmp_path: Path) -> None:
    def broken(_: Site) -> Told:
        raise ZeroDivisionError(KEYS.production)

    probes = [Probe(("swap", "leaks"), broken), says("ca", "fine")]
    found = examine(site(tmp_path), probes)
    assert [(one.id, one.status) for one in found] == [
        ("ca", "pass"), ("swap", "unknown"), ("leaks", "unknown"),
    ]  # fmt: skip
    assert "ZeroDivisionError" in found[1].evidence
    assert KEYS.production not in repr(found)


def test_one_that_hangs_is_unknown_and_the_others_are_told(tmp_path: Path) -> None:
    forever = threading.Event()

    def hangs(_: Site) -> Told:
        forever.wait(60)
        return Told(())

    found = examine(site(tmp_path), [Probe(("store",), hangs), says("ca", "fine")], longest_s=0.5)
    forever.set()
    assert [(one.id, one.status) for one in found] == [("ca", "pass"), ("store", "unknown")]
    assert "0.5 s" in found[1].evidence


def test_no_secret_is_in_a_line_whatever_a_probe_says(tmp_path: Path) -> None:
    text = f"{KEYS.staging} redis://u:hunter22@h {KEYS.production}"
    (found,) = examine(site(tmp_path), [says("ca", text)])
    for secret in (KEYS.staging, KEYS.production, "hunter22"):
        assert secret not in repr(found)


def test_offline_nothing_goes_out(tmp_path: Path) -> None:
    def goes(_: Site) -> Told:
        raise AssertionError

    probe = Probe(("upstream",), goes, outward=True)
    (found,) = examine(site(tmp_path, offline=True), [probe])
    assert (found.status, "--offline" in found.evidence) == ("unknown", True)


def test_on_a_clients_machine_what_the_gateway_has_is_unknown(tmp_path: Path) -> None:
    machine = survey(Wish(None, ("192.0.2.1", 8080)), {}, tmp_path)
    found = examine(machine, [Probe(("store",), lambda _: Told(())), says("ca", "fine")])
    assert [(one.id, one.status) for one in found] == [("ca", "pass"), ("store", "unknown")]
    assert "another machine" in found[1].fix


def test_every_probe_has_its_place_and_every_place_its_probe() -> None:
    ids = [name for probe in PROBES for name in probe.ids] + ["clock"]
    assert sorted(ids) == sorted(ORDER)


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        (["pass", "unknown"], "unknown"),
        (["unknown", "warn"], "warn"),
        (["warn", "fail", "pass"], "fail"),
        (["pass", "pass"], "pass"),
        ([], "unknown"),
    ],
)
def test_the_worst_part_counts_and_comes_first(statuses: list[str], worst: str) -> None:
    parts = [Part(one, f"e-{one}", f"f-{one}") for one in statuses]  # type: ignore[arg-type]
    (found,) = told("x", parts).findings
    assert found.status == worst
    assert not parts or found.evidence.startswith(f"e-{worst}")
    assert "f-pass" not in found.fix


def test_what_cannot_be_told_names_each_id() -> None:
    assert unknown(("a", "b"), "why", "fix").findings == (
        Finding("a", "unknown", "why", "fix"), Finding("b", "unknown", "why", "fix"),
    )  # fmt: skip
