"""What `openai-gateway scan` finds in files and in what is staged, what it prints, how it ends."""

import base64
import gzip
import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

import openai_gateway
from openai_gateway.cli.main import main
from tests.support.git import Git

RULES: Final = """
rules:
  - id: made-key
    title: A made key
    pattern: 'MADE-[a-z0-9]{20}'
    keywords: [made-]
    strong: true
    matches: ['MADE-{lownum:20}']
  - id: low-key
    title: A key that is hardly one
    pattern: 'LOW-[a-z0-9]{20}'
    severity: low
    matches: ['LOW-{lownum:20}']
"""
# What a reader of SARIF relies on; the log was judged by OASIS' whole schema when it was written.
SARIF: Final = {
    "required": ["$schema", "version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "items": {
                "required": ["tool", "results"],
                "properties": {
                    "results": {
                        "items": {
                            "required": ["ruleId", "ruleIndex", "level", "message", "locations"],
                            "properties": {"level": {"enum": ["error", "warning", "note"]}},
                        }
                    }
                },
            }
        },
    },
}
ENVIRON: Final = {"OPENAI_GATEWAY_CONFIG": None, "NO_COLOR": None}
COMMAND: Final = "from openai_gateway.cli.main import main; main(prog_name='openai-gateway')"


def made(number: int = 0) -> str:
    return "MADE-" + hashlib.sha256(b"made %d" % number).hexdigest()[:20]


def low() -> str:
    return "LOW-" + "k7q2w9z4x1m8c5v6b3n0"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "gateway.yaml").write_text("leaks: {rules: [rules.yaml]}\n")
    monkeypatch.chdir(work)


@pytest.fixture
def git() -> Git:
    return Git(Path.cwd())


def run(*arguments: str) -> Result:
    told = ["scan", "--config", "../gateway.yaml", *arguments]
    result = CliRunner().invoke(main, told, env=ENVIRON)
    for number in range(40):
        assert made(number) not in result.output
    return result


def lines(*arguments: str) -> list[str]:
    return run(*arguments).stdout.splitlines()


def started(*arguments: str, **how: object) -> "subprocess.Popen[bytes]":
    """As a user starts it: a process of its own."""
    environ = os.environ | {"PYTHONPATH": str(Path(openai_gateway.__file__).parents[1])}
    argv = [sys.executable, "-W", "error::DeprecationWarning", "-c", COMMAND, "scan"]
    argv += ["--config", "../gateway.yaml", *arguments]
    return subprocess.Popen(argv, env=environ, **how)  # type: ignore[call-overload, no-any-return]  # noqa: S603 -- our own interpreter


def many(count: int) -> None:
    """So many that one batch does not hold them; each tenth has a secret on its second line."""
    Path("many").mkdir()
    for number in range(count):
        secret = made(number) if number % 10 == 0 else "nothing"
        Path("many", f"{number:04d}.txt").write_text(f"first\n{secret}\n")


def test_each_secret_is_a_line_and_the_exit_code_tells_of_it() -> None:
    Path("a.txt").write_text(f"one\ntwo {made()}\nthree\n{low()}\n")
    Path("b.txt").write_text("nothing\n")
    result = run(".")
    assert result.exit_code == 1
    assert result.stdout == "a.txt:2: made-key\na.txt:4: low-key\n"
    assert result.stderr.startswith("scan: 2 secrets in 1 file; 2 files read (0.0 MB, ")


def test_nothing_found_is_0() -> None:
    Path("b.txt").write_text("nothing\n")
    result = run("b.txt")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("scan: no secrets; 1 file read (0.0 MB, ")


def test_the_order_is_that_of_the_paths_whatever_is_named_first() -> None:
    for name in ("b/z", "b/a", "a", "c"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(made())
    expected = [f"{name}:1: made-key" for name in ("a", "b/a", "b/z", "c")]
    assert lines("c", "b", ".", "b/a") == expected
    assert lines(str(Path.cwd())) == expected


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def wrapped(text: str) -> str:
    coded = encoded("so long a text that it is wrapped " * 3 + text)
    return "\n".join(coded[at : at + 64] for at in range(0, len(coded), 64))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (f"\n\n{made()}".encode(), 3),
        (f"a\r\nb\r\n{made()}\r\n".encode(), 3),
        (f"{made()}\n".encode(), 1),
        (f"\n{encoded('the key is ' + made())}\n".encode(), 2),
        (f"\n\n{wrapped(made())}\n".encode(), 3),
        (f"\n\n{made()[:9]}\\u00{ord(made()[9]):x}{made()[10:]}\n".encode(), 3),
        (json.dumps({"a": 1, "b": [made()]}, indent=1).encode(), 4),
        (json.dumps({"a": 1, "b": json.dumps({"c": made()})}, indent=1).encode(), 3),
        (f'{{"a": 1}}\n{{"b": "\\u00e9 {made()}"}}\n'.encode(), 2),
        (f"é\n{made()}".encode("utf-16"), 2),
        (f"e\n{made()}".encode("utf-16-le"), 2),
        (f"é\n\n{made()}".encode("utf-32"), 3),
        (f"\xe9\n{made()}".encode("latin-1"), 2),
        (f"a\0b\n\n{made()}\n".encode(), 3),
        (b"\x89\0\xff\xfe\x01\n\n" * 20 + made().encode(), 1),
        (gzip.compress(f"\n\n\n{made()}".encode(), mtime=0), 1),
        ((f"é{'x' * 70}\n" * 3000 + made()).encode(), 3001),
    ],
)
def test_the_line_is_that_of_the_file_however_it_is_written(data: bytes, line: int) -> None:
    Path("file").write_bytes(data)
    assert lines("file") == [f"file:{line}: made-key"]


def test_a_value_that_stands_on_two_lines_is_found_twice() -> None:
    Path("file").write_text(f"{made()}\n\n{made()} {made(1)}\n")
    assert lines("file") == ["file:1: made-key", "file:3: made-key", "file:3: made-key"]


def test_a_secret_in_a_file_s_name_is_found_and_not_printed() -> None:
    Path(f"backup {made()}.txt").write_text("nothing")
    assert lines(".") == ["backup [REDACTED:made-key].txt:1: made-key"]
    found = json.loads(run("--json", ".").stdout)["findings"][0]
    assert (found["file"], found["inside"]) == ("backup [REDACTED:made-key].txt", "the name")


def test_names_stay_on_one_line() -> None:
    Path("a\nb\x1b[2J\u202e.txt").write_text(made())
    Path(os.fsdecode(b"\xff.txt")).write_text(made())
    assert lines(".") == [
        "a\\nb\\x1b[2J\\u202e.txt:1: made-key",
        "\\udcff.txt:1: made-key",
    ]
    assert [one["file"] for one in json.loads(run("--json", ".").stdout)["findings"]] == [
        "a\nb\x1b[2J\u202e.txt",
        os.fsdecode(b"\xff.txt"),
    ]


def test_what_git_ignores_is_left_out_unless_it_is_named(git: Git) -> None:
    for name in ("kept", "ignored.log", "build/out/x", "sub/kept", "sub/ignored.log"):
        git.write(name, made())
    git.write(".gitignore", "*.log\nbuild/\n")
    assert lines(".") == ["kept:1: made-key", "sub/kept:1: made-key"]
    assert lines("sub") == ["sub/kept:1: made-key"]
    assert lines("build") == lines("build/out") == ["build/out/x:1: made-key"]
    assert lines("ignored.log") == ["ignored.log:1: made-key"]


def test_a_tracked_file_counts_though_it_is_ignored_and_one_that_is_gone_does_not(
    git: Git,
) -> None:
    git.write("tracked.log", made())
    git.write("gone", made())
    git("add", ".")
    git.write(".gitignore", "*.log")
    Path("gone").unlink()
    assert lines(".") == ["tracked.log:1: made-key"]


def test_repositories_within_have_their_own_ignores_and_no_one_looks_into_git_s_folder() -> None:
    for name in ("one", "one/within"):
        inner = Git(Path(name))
        inner.write("kept", made())
        inner.write("ignored", made())
        inner.write(".gitignore", "ignored")
        inner.write(".git/secret", made())
    assert lines(".") == ["one/kept:1: made-key", "one/within/kept:1: made-key"]
    assert lines("one") == ["one/kept:1: made-key", "one/within/kept:1: made-key"]


def test_a_hook_s_repository_is_not_that_of_another_folder(
    git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git.write("ignored", made())
    git.write(".gitignore", "ignored")
    other = Git(Path("../other"))
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert lines(".") == []


def test_nothing_that_a_repository_s_settings_name_is_started(git: Git) -> None:
    git.write("a", "x")
    git.write("../run.sh", "#!/bin/sh\ntouch ../was-run\n")
    Path("../run.sh").chmod(0o755)
    program = str(Path("../run.sh").resolve())
    git("config", "diff.external", program)
    git("config", "diff.made.textconv", program)
    git("config", "core.pager", program)
    git.write(".gitattributes", "* diff=made\n")
    git("add", ".")
    git.commit()
    git.write("a", made())
    git("add", ".")
    git("config", "core.fsmonitor", program)
    assert lines("--staged") == lines(".") == ["a:1: made-key"]
    assert not Path("../was-run").exists()


def test_links_are_not_followed_but_for_one_that_is_named() -> None:
    Path("../outside").mkdir()
    Path("../outside/file").write_text(made())
    Path("file").symlink_to("../outside/file")
    Path("folder").symlink_to("../outside")
    Path("loop").symlink_to(".")
    assert lines(".") == []
    assert lines("file") == ["file:1: made-key"]
    assert lines("folder") == ["folder/file:1: made-key"]


def test_a_folder_that_became_a_link_is_not_followed_either(git: Git) -> None:
    git.write("folder/file", "x")
    git("add", ".")
    git.write("../outside/file", made())
    Path("folder/file").unlink()
    Path("folder").rmdir()
    Path("folder").symlink_to("../outside")
    assert lines(".") == []


def test_what_is_no_file_is_left_out_and_never_waited_for() -> None:
    os.mkfifo("pipe")
    assert lines(".") == []
    assert run("pipe").exit_code == 2


def test_what_cannot_be_read_is_named_and_counted() -> None:
    Path("open").write_text("nothing")
    result = run("open", "/proc/self/mem")
    assert result.exit_code == 0
    assert "scan: /proc/self/mem: cannot be read (Input/output error)" in result.stderr
    assert result.stderr.endswith("; 1 unreadable\n")
    told = json.loads(run("--json", "open", "/proc/self/mem").stdout)
    assert told["files"]["unreadable"] == [
        {"file": "/proc/self/mem", "reason": "Input/output error"}
    ]


def test_large_files_and_binaries_without_text_are_counted() -> None:
    Path("large").write_text(made() + "x" * 100)
    Path("binary").write_bytes(bytes((1, 2, 3, 65, 255)) * 800)
    Path("fine").write_text("nothing")
    result = run("--max-bytes", "4000", "--max-bytes", "100", ".")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 file read" in result.stderr
    assert result.stderr.endswith("; 2 above 100 bytes\n")
    assert "; 1 binary without text\n" in run("binary").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nowhere"],
        [".", "nowhere"],
        ["--json", "--format", "text", "."],
        ["--format", "xml", "."],
        ["--max-bytes", "0", "."],
        ["--staged"],
        ["--nonsense"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_path_that_is_not_there_is_not_echoed() -> None:
    assert "PATH is not there" in run(made()).stderr
    assert "PATH 2 is not there" in run(".", made()).stderr


def test_rules_that_are_wrong_end_it_with_their_place() -> None:
    Path("a").write_text("x")
    Path("../rules.yaml").write_text(RULES.replace("lownum:20", "lownum:19"))
    result = run(".")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "rules.yaml:8:15: rules.0.matches.0: is not found" in result.stderr


def test_without_a_configuration_the_shipped_rules_hold() -> None:
    key = "sk-" + "proj-" + "Ab3dE6gH9jKl" * 6 + "T3Blbk" + "FJ" + "Mn4pQ7rS0tUv" * 6
    Path("a").write_text(f"\n{key}\n")
    result = CliRunner().invoke(main, ["scan", "a"], env=ENVIRON)
    assert (result.exit_code, result.stdout) == (1, "a:2: openai-key\n")


@pytest.mark.parametrize(
    ("entry", "left"),
    [
        ("{rule: made-key, path: 'fixtures/*'}", ["a.txt:1"]),
        ("{rule: made-key, value_sha256: %s}", []),
        ("{rule: low-key}", ["a.txt:1", "fixtures/b.txt:1"]),
        ("{rule: made-key, until: 2020-01-01}", ["a.txt:1", "fixtures/b.txt:1"]),
    ],
)
def test_what_the_configuration_allows_is_no_finding(entry: str, left: list[str]) -> None:
    digest = hashlib.sha256(made().encode()).hexdigest()
    entry = entry.replace("%s", digest)
    allowed = f"leaks: {{rules: [rules.yaml], allow: [{entry}]}}\n"
    Path("../gateway.yaml").write_text(allowed + "keys: {mappings: 5}\n")
    Path("fixtures").mkdir()
    for name in ("a.txt", "fixtures/b.txt"):
        Path(name).write_text(made())
    result = run(".")
    assert [line.removesuffix(": made-key") for line in result.stdout.splitlines()] == left
    assert ("leaks.allow.0 has expired" in result.stderr) == ("until" in entry)


def test_a_wrong_allowance_is_told() -> None:
    Path("../gateway.yaml").write_text("leaks: {rules: [rules.yaml], allow: [{path: a}]}\n")
    result = run(".")
    assert result.exit_code == 1
    assert "leaks.allow.0.rule: is missing" in result.stderr


def test_json_tells_where_and_what_and_counts() -> None:
    Path("a.txt").write_text(f"\n{made()}\n{low()}")
    Path("b.gz").write_bytes(gzip.compress(made().encode(), mtime=0))
    told = json.loads(run("--json", ".").stdout)
    assert told == json.loads(run("--format", "json", ".").stdout)
    assert told["findings"][0] == {
        "file": "a.txt",
        "line": 2,
        "rule": "made-key",
        "title": "A made key",
        "severity": "high",
        "inside": None,
        "sha256": hashlib.sha256(made().encode()).hexdigest(),
    }
    assert [one["severity"] for one in told["findings"]] == ["high", "low", "high"]
    assert told["findings"][2]["inside"]
    assert (told["more"], told["notes"]) == (0, [])
    assert told["files"] == {
        "read": 2,
        "bytes": sum(Path(name).stat().st_size for name in ("a.txt", "b.gz")),
        "binary": 0,
        "large": 0,
        "partly": [],
        "unreadable": [],
    }


def test_sarif_names_rules_levels_places_and_fingerprints() -> None:
    Path("a b#c.txt").write_text(f"\n{made()}\n{low()}")
    result = run("--format", "sarif", ".")
    log = json.loads(result.stdout)
    jsonschema.validate(log, SARIF)
    (one,) = log["runs"]
    rules = one["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["made-key", "low-key"]
    assert rules[0]["shortDescription"] == {"text": "A made key"}
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "note"]
    first, second = one["results"]
    assert (first["ruleId"], first["ruleIndex"], first["level"]) == ("made-key", 0, "error")
    assert (second["ruleId"], second["ruleIndex"], second["level"]) == ("low-key", 1, "note")
    place = first["locations"][0]["physicalLocation"]
    assert place == {"artifactLocation": {"uri": "a%20b%23c.txt"}, "region": {"startLine": 2}}
    digest = hashlib.sha256(made().encode()).hexdigest()
    assert first["partialFingerprints"] == {"secretSha256/v1": digest}
    assert result.exit_code == 1


def test_nothing_found_is_a_whole_document_too() -> None:
    Path("a").write_text("x")
    assert json.loads(run("--json", "a").stdout)["findings"] == []
    log = json.loads(run("--format", "sarif", "a").stdout)
    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"] == []


def test_staged_content_counts_and_not_that_of_the_file(git: Git) -> None:
    git.write("a", f"x\n{made()}\n")
    git("add", ".")
    git.write("a", "taken out again\n")
    git.write("b", made(1))
    assert lines("--staged") == ["a:2: made-key"]
    Path("a").unlink()
    assert lines("--staged") == ["a:2: made-key"]
    assert lines("--staged", "a") == ["a:2: made-key"]
    assert lines("--staged", "b") == []
    assert run("--staged", "c").exit_code == 2


def test_of_a_changed_file_only_added_lines_count(git: Git) -> None:
    git.write("a", f"1\n{made()}\n3\n4\n")
    git("add", ".")
    git.commit()
    git.write("a", f"0\n1\n{made()}\n3\n{made(1)}\n4\n")
    git("add", ".")
    assert lines("--staged") == ["a:5: made-key"]
    git.write("a", f"1\n{made()}, now with a comma\n3\n4\n")
    git("add", ".")
    assert lines("--staged") == ["a:2: made-key"]
    git.write("a", "1\n3\n4\n")
    git("add", ".")
    assert lines("--staged") == []


def test_a_secret_that_only_now_is_one_counts_though_its_first_line_stayed(git: Git) -> None:
    head, rest = wrapped(made()).split("\n", 1)
    git.write("a", f"{head}\nnothing\n")
    git("add", ".")
    git.commit()
    git.write("a", f"{head}\n{rest}\n")
    git("add", ".")
    assert lines("--staged") == ["a:1: made-key"]


def test_of_a_renamed_file_only_added_lines_count_and_its_new_name(git: Git) -> None:
    text = "".join(f"line {number}\n" for number in range(20))
    git.write("old", text + made() + "\n")
    git("add", ".")
    git.commit()
    git("mv", "old", f"new-{made(2)}")
    assert lines("--staged") == ["new-[REDACTED:made-key]:1: made-key"]
    git("mv", f"new-{made(2)}", "new")
    git.write("new", text + made() + "\n" + made(1) + "\n")
    git("add", ".")
    assert lines("--staged") == ["new:22: made-key"]


def test_a_file_in_place_of_a_link_counts_whole(git: Git) -> None:
    Path("a").symlink_to("nowhere")
    git("add", ".")
    git.commit()
    Path("a").unlink()
    git.write("a", f"\n{made()}")
    git("add", ".")
    assert lines("--staged") == ["a:2: made-key"]


@pytest.mark.parametrize(
    "name",
    [
        "with blank",
        " lead",
        "-dash",
        "--output=x",
        "új",
        "new\nline",
        "tab\t",
        '"quoted"',
        ":(top)",
    ],
)
def test_any_name_can_be_staged(git: Git, name: str) -> None:
    git.write(f"before {name}", "x\n")
    git.write(name, "x\n")
    git("add", "-A")
    git.commit()
    git.write(name, f"x\n{made()}\n")
    git.write(f"{name} new", f"{made()}\n")
    git("add", "-A")
    shown = name.replace("\n", "\\n").replace("\t", "\\t")
    assert sorted(lines("--staged")) == [f"{shown} new:1: made-key", f"{shown}:2: made-key"]


def test_lines_that_look_like_a_patch_do_not_confuse(git: Git) -> None:
    odd = "@@ -1 +1 @@\n+++ b/x\ndiff --git a/x b/x\n-- \n"
    git.write("a", f"{odd}{made()}\n")
    git.write("b", "x\n")
    git("add", ".")
    git.commit()
    git.write("a", f"{odd}{odd}{made()}\n{odd}")
    git.write("b", f"{made()}\nx\n")
    git("add", ".")
    assert lines("--staged") == ["b:1: made-key"]


def test_settings_of_the_user_change_nothing(git: Git) -> None:
    git.write("a", f"1\n{made()}\n2\n3\n")
    git.write("b", "x" * 50 + "\n")
    git("add", ".")
    git.commit()
    for name, value in [
        ("diff.noprefix", "true"),
        ("diff.renames", "copies"),
        ("diff.context", "9"),
        ("diff.interHunkContext", "9"),
        ("diff.submodule", "log"),
        ("diff.relative", "true"),
        ("color.ui", "always"),
        ("core.quotePath", "false"),
    ]:
        git("config", name, value)
    git.write("sub/c", "x\n" + made(2))
    git.write("a", f"1\n{made()}\n2\n{made(1)}\n3\n")
    git("add", ".")
    assert lines("--staged") == ["a:4: made-key", "sub/c:2: made-key"]


def test_from_a_folder_below_the_whole_repository_is_meant(
    git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    git.write("a", made())
    git.write("sub/b", made())
    git("add", ".")
    top = Path.cwd()
    monkeypatch.chdir("sub")
    result = CliRunner().invoke(
        main, ["scan", "--config", "../../gateway.yaml", "--staged"], env=ENVIRON
    )
    assert result.stdout.splitlines() == [f"{top}/a:1: made-key", "b:1: made-key"]


def test_a_submodule_is_not_looked_at(git: Git) -> None:
    inner = Git(Path("inner"))
    inner.write("file", made())
    inner("add", ".")
    inner.commit()
    git.write("a", "x")
    git("add", ".")
    assert lines("--staged") == []
    git.commit()
    inner.write("file", made(1))
    inner("add", ".")
    inner.commit()
    git.write("a", made())
    git("add", ".")
    assert lines("--staged") == ["a:1: made-key"]


def test_nothing_staged_is_nothing_found(git: Git) -> None:
    git.write("a", made())
    result = run("--staged")
    assert (result.exit_code, result.stdout) == (0, "")


def test_what_is_only_meant_to_be_added_is_not_staged(git: Git) -> None:
    git.write("a", made())
    git("add", "--intent-to-add", "a")
    assert lines("--staged") == []


def test_large_staged_files_are_counted_and_not_read(git: Git) -> None:
    git.write("large", made() + "x" * 100)
    git("add", ".")
    result = run("--staged", "--max-bytes", "100")
    assert result.exit_code == 0
    assert "1 above 100 bytes" in result.stderr


def test_many_files_are_told_in_their_order_from_all_cores() -> None:
    many(400)
    process = started("many", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, errors = process.communicate(timeout=60)
    assert out.decode().splitlines() == [
        f"many/{number:04d}.txt:2: made-key" for number in range(0, 400, 10)
    ]
    assert process.returncode == 1
    assert errors.startswith(b"scan: 40 secrets in 40 files; 400 files read")


def test_many_staged_files_too(git: Git) -> None:
    many(200)
    git("add", ".")
    process = started("--staged", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, _ = process.communicate(timeout=60)
    assert len(out.splitlines()) == 20


def test_a_reader_that_has_seen_enough_ends_it_without_a_word() -> None:
    Path("a").write_text("".join(f"{made(number)}\n" for number in range(40)))
    for both in (False, True):
        reader, writer = os.pipe()
        os.close(reader)
        errors = writer if both else subprocess.PIPE
        process = started("a", stdout=writer, stderr=errors)
        os.close(writer)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 1
        assert not said or b"Error" not in said


def until(terminal: int, words: bytes) -> bytes:
    """What a terminal shows until these words."""
    shown = b""
    while words not in shown:
        shown += os.read(terminal, 4096)
    return shown


def rest(terminal: int) -> bytes:
    """What it shows until nobody writes there any more, the workers neither."""
    shown = b""
    with suppress(OSError):  # Linux's word for it
        while piece := os.read(terminal, 4096):
            shown += piece
    os.close(terminal)
    return shown


def test_on_a_terminal_it_says_how_far_it_is_and_ctrl_c_ends_it_quietly() -> None:
    many(4000)
    ours, theirs = pty.openpty()
    process = started("many", stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    assert b"of 4,000 files" in until(ours, b" files")
    # As a terminal sends it: to all processes of the group.
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 130
    shown = rest(ours)
    assert b"Traceback" not in shown
    assert b"made-key" not in shown


def test_on_a_terminal_rules_stand_in_a_column_and_in_colour() -> None:
    Path("a").write_text(made())
    Path("longer").write_text(f"\n{made()}")
    ours, theirs = pty.openpty()
    process = started(".", stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    shown = rest(ours).decode().replace("\r", "")
    process.communicate(timeout=60)
    assert shown == "a:1:      \x1b[31m\x1b[1mmade-key\x1b[0m\n" + (
        "longer:2: \x1b[31m\x1b[1mmade-key\x1b[0m\n"
    )


def test_the_hook_of_the_pre_commit_framework_is_this_command() -> None:
    top = Path(openai_gateway.__file__).parents[2]
    (hook,) = yaml.safe_load((top / ".pre-commit-hooks.yaml").read_text())
    assert hook["id"] == "openai-gateway-scan"
    assert hook["entry"].split()[0] == "openai-gateway"
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    assert hook["stages"] == ["pre-commit"]
    # The words behind the command are ones that it takes.
    assert run(*hook["entry"].split()[2:]).exit_code == 2
