"""The benchmark itself, at its smallest, with the real gateway."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.soak
@pytest.mark.timeout(180)
def test_a_quick_run_proves_its_work_and_leaves_nothing() -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--json"]
    ran = subprocess.run(  # noqa: S603 -- our own interpreter
        command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False
    )
    assert ran.stdout, ran.stderr
    found = json.loads(ran.stdout)
    assert found["proven"]
    assert (ran.returncode == 0) is found["passed"]
    named = {figure["name"] for figure in found["figures"]}
    assert {"CPU per call, c1", "CPU per call, c16", "CPU per call, c64"} <= named
    assert all(figure["gateway"] >= 0 for figure in found["figures"])
