"""A pytest plugin that writes down, for each test, its outcome and the rules it names.

Loaded with ``-p tools.rules.plugin --rules-to=FILE``; the file is JSON,
``{"exit": 0, "tests": {"tests/x.py::test_y": {"outcome": "passed", "rules": ["LS-30"]}}}``. An outcome is
``passed`` only if set-up, test and tear-down all passed. With ``--collect-only`` nothing runs, and every test
is ``collected``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

import pytest

_PROPERTY = "rules"
COLLECTED = "collected"
"""The outcome of a test that was only found."""


class Recorded(TypedDict):
    """What one test has shown."""

    outcome: str
    rules: list[str]


class Recorder:
    """Collects the outcomes of one run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: dict[str, Recorded] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        named = next((value for key, value in report.user_properties if key == _PROPERTY), [])
        rules = [str(rule) for rule in named] if isinstance(named, list) else []
        test = self._tests.setdefault(report.nodeid, Recorded(outcome="passed", rules=rules))
        # An expected failure is reported as skipped or passed with `wasxfail`: it proves nothing.
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        if outcome != "passed" and test["outcome"] == "passed":
            test["outcome"] = outcome

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        if session.config.option.collectonly:
            for item in session.items:
                self._tests[item.nodeid] = Recorded(outcome=COLLECTED, rules=_named(item))

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(
            json.dumps({"exit": int(exitstatus), "tests": self._tests}, ensure_ascii=False, indent=1)
        )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rules-to", default=None, help="Write outcome and rule ids of each test to this JSON file."
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rule ids travel with the reports, also out of the worker processes of a distributed run."""
    for item in items:
        item.user_properties.append((_PROPERTY, _named(item)))


def _named(item: pytest.Item) -> list[str]:
    return sorted({str(rule) for mark in item.iter_markers("rules") for rule in mark.args})


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "rules(*ids): the rules of the regulations this test proves.")
    target = config.getoption("--rules-to")
    # Workers of a distributed run report to the controller, which alone writes.
    if target is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(Path(target)), "rules-recorder")
