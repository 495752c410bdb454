"""The house itself: its commands, its lock files and its installer."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tools import install

ROOT = Path(__file__).parent.parent
INSIDE = {"python", "tools-run", "tools-dev"}
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """What a lock file pins: name to version."""
    return dict(PIN.findall((ROOT / lock).read_text()))


def test_make_alone_explains_every_command() -> None:
    # As a person calls it: under another make it would also say which directory it enters.
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(["make"], cwd=ROOT, env=plain, capture_output=True, text=True, check=True)
    help_text = made.stdout
    explained = {line.split()[1] for line in help_text.splitlines()}
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert explained == {target for target in phony[1].split() if target not in INSIDE}
    assert all(len(line.split()) > 2 for line in help_text.splitlines())


def test_a_machine_without_python_is_one_clear_sentence(tmp_path: Path) -> None:
    for tool in ("make", "sh"):
        found = shutil.which(tool)
        assert found
        (tmp_path / tool).symlink_to(found)
    environment = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(["make", "check"], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == "Qiquan needs Python 3.11 or newer; there is no python3 here."


def test_the_verdict_on_a_commit_is_make_test() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_file_has_hashes_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text()
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) == len(pins(lock)) > 20
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", entry) for entry in entries)
    assert not re.search(r"https?:|file:|git\+|--(extra-)?index|--find-links", text)


def test_the_development_lock_holds_all_of_the_other_one() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


def test_everything_the_project_names_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = {"requirements.lock": project["dependencies"] + extras["embedded"]}
    named["requirements-dev.lock"] = named["requirements.lock"] + extras["dev"]
    for lock, requirements in named.items():
        names = {re.split(r"[^a-z0-9-]", requirement)[0] for requirement in requirements}
        assert names <= pins(lock).keys()


def test_a_second_install_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(install, "ROOT", str(tmp_path))
    monkeypatch.setattr(install, "VENV", str(tmp_path))
    monkeypatch.setattr(install, "PYTHON", sys.executable)
    for lock in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / lock).write_text("aiohttp==1")
    assert not install.is_installed("dev")
    Path(install.stamp_path("dev")).write_text(install.fingerprint("dev"))
    assert install.is_installed("dev")
    (tmp_path / "requirements.lock").write_text("aiohttp==2")
    assert not install.is_installed("dev"), "a changed lock file went unnoticed"


def test_an_old_interpreter_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 10, "final", 0))
    monkeypatch.setattr(sys, "argv", ["install.py", "run"])
    assert install.main() == 1
    assert capsys.readouterr().err == (
        f"Qiquan needs Python 3.11 or newer; {sys.executable} is Python 3.8.\n"
    )


def test_the_installer_can_be_read_by_an_old_interpreter() -> None:
    ast.parse((ROOT / "tools" / "install.py").read_text(), feature_version=(3, 5))


@pytest.mark.parametrize(
    "output",
    [
        "error: command 'gcc' failed: No such file or directory",
        "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory",
        "error: [Errno 2] No such file or directory: 'cc'",
        "ERROR: Unknown compiler(s): [['cc'], ['gcc']]",
    ],
)
def test_a_missing_compiler_is_one_clear_sentence(output: str) -> None:
    reason = install.why_not(f"Building wheel for x\n{output}\n", "requirements.lock")
    assert "there is no compiler to build it" in reason
    assert "\n" not in reason


def test_any_other_failure_is_told_in_the_words_of_pip() -> None:
    reason = install.why_not("ERROR: hashes do not match", "requirements.lock")
    assert reason.splitlines()[0] == "ERROR: hashes do not match"
    assert "requirements.lock" in reason
