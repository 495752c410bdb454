"""Writing the lock files: exact versions with hashes and no download address.

`make lock` keeps the versions that are locked and adds or drops what ``pyproject.toml`` does;
`make lock UPGRADE=1` takes the newest it admits. The resolver comes into a scratch environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = {"requirements.lock": ["embedded"], "requirements-dev.lock": ["embedded", "dev"]}
OPTIONS = ["--generate-hashes", "--universal", "--python-version", "3.11", "--quiet"]
# A lock is the same whoever wrote it, so nothing of the writer's machine goes in.
OPTIONS += ["--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header"]


def main() -> int:
    """Write both lock files; the exit code is the resolver's."""
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    with tempfile.TemporaryDirectory(prefix="qiquan-lock-") as scratch:
        venv.create(scratch, with_pip=True)
        python = Path(scratch) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        # The interpreter that runs this is the one to use: no other may be downloaded.
        environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
        for lock, extras in EXTRAS.items():
            chosen = [word for extra in extras for word in ("--extra", extra)]
            command: list[str | Path] = [
                python,
                "-m",
                "uv",
                "pip",
                "compile",
                "pyproject.toml",
                *chosen,
                *OPTIONS,
                *upgrade,
            ]
            compiled = subprocess.run(
                [*command, "--output-file", lock], cwd=ROOT, env=environment, check=False
            )
            if compiled.returncode:
                return compiled.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
