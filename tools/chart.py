"""The page of the chat's chart: ``python -m tools.chart --write`` makes docs/chat.md of config/chat.toml."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from server import texts
from server.programme.chart import Ask, Chart, State, load_chart, ways

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "chat.md"
INTRODUCTION = """# The conversation of the chat

Made from `config/chat.toml` and `server/texts/chat.py` by `python -m tools.chart --write`; a test compares.
How a message is understood stands in `server/rules/conversation.py`, why it is so in
[decision 0026](decisions/0026-conversation.md).
"""


def rendered() -> str:
    """The whole page."""
    chart = load_chart(ROOT / "config" / "chat.toml", texts.CHAT, texts.SPOKEN)
    return "\n".join(
        (
            INTRODUCTION,
            *_said_anywhere(chart),
            "## As a picture\n",
            "```mermaid",
            "flowchart TD",
            *_drawn(chart),
            "```\n",
            "## State by state\n",
            "| state | asks for | says | leads to |",
            "|---|---|---|---|",
            *(_row(state) for state in chart.states),
            "",
        )
    )


def _said_anywhere(chart: Chart) -> Iterator[str]:
    yield "## What can be said anywhere\n"
    yield "| words | meaning |"
    yield "|---|---|"
    for entry in chart.entries:
        target = f"to `{entry.next}`" if entry.next else f"{texts.CHAT[entry.say]}"
        yield f"| {' · '.join(entry.words)} | {target} |"
    for command in chart.commands:
        yield f"| {' · '.join(command.words)} | {command.means.value} |"
    yield ""


def _drawn(chart: Chart) -> Iterator[str]:
    for state in chart.states:
        left, right = ("([", "])") if state.ask is Ask.END else ("[", "]")
        yield f'  {state.code}{left}"{state.code}"{right}'
    for state in chart.states:
        labels = {one.next: str(place) for place, one in reversed(list(enumerate(state.choices, 1)))}
        for target in ways(state):
            label = f"|{labels[target]}| " if target in labels else ""
            yield f"  {state.code} --> {label}{target}"


def _row(state: State) -> str:
    lines = [
        texts.CHAT[state.say],
        *(f"{n}. {texts.CHAT[one.say]}" for n, one in enumerate(state.choices, 1)),
    ]
    said = "<br>".join(lines).replace("\n", "<br>").replace("|", "\\|")
    asks = state.ask.value + (", may be passed over" if state.optional else "")
    if state.act is not None:
        asks += f", does {state.act.value}"
    return (
        f"| `{state.code}` | {asks} | {said} | {', '.join(f'`{one}`' for one in ways(state)) or 'nothing'} |"
    )


def main() -> None:
    """Write the page."""
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m tools.chart --write")
    PAGE.write_text(rendered(), encoding="utf-8")


if __name__ == "__main__":
    main()
