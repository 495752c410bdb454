"""Installing: the virtual environment and everything in it, exactly as the lock files say.

Runs under whatever ``python3`` is there, before anything is installed, so it uses the standard library
only and stays readable to an old interpreter (which gets one clear sentence instead of a syntax error).

    python3 tools/install.py run     what `make run` needs
    python3 tools/install.py dev     that, and everything `make test` needs
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
OLDEST = (3, 11)
# The development lock holds everything the other one holds, so it serves both.
LOCKS = {"run": ["requirements.lock"], "dev": ["requirements-dev.lock", "requirements.lock"]}
NO_COMPILER = re.compile(
    r"command '\S*(cc|clang|\+\+)\S*' failed: No such file"
    r"|No such file or directory: '\S*(cc|clang|\+\+)'"
    r"|Unknown compiler\(s\)|can't find Rust compiler"
)


class CannotInstall(Exception):
    """Why not, in one sentence."""


def stamp_path(kind):  # type: (str) -> str
    """Where it is written down that this kind is installed."""
    return os.path.join(VENV, "installed-" + kind)


def fingerprint(kind):  # type: (str) -> str
    """Changes when a lock file or the interpreter does."""
    digest = hashlib.sha256(sys.version.encode())
    for lock in LOCKS[kind]:
        with open(os.path.join(ROOT, lock), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def is_installed(kind):  # type: (str) -> bool
    """Whether the environment holds what the lock files say now."""
    try:
        with open(stamp_path(kind)) as file:
            return file.read() == fingerprint(kind) and os.access(PYTHON, os.X_OK)
    except OSError:
        return False


def make_environment():  # type: () -> None
    """A new virtual environment, unless a working one is there."""
    if os.access(PYTHON, os.X_OK):
        version = "import sys; print(*sys.version_info[:2], sep='.')"
        probe = subprocess.run([PYTHON, "-c", version], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if probe.stdout.decode().strip() == "%d.%d" % sys.version_info[:2]:
            return
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", VENV], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        raise CannotInstall(
            "%s cannot make a virtual environment; install its venv module "
            "(on Debian and Ubuntu the package python3-venv)." % sys.executable
        )


def install(kind):  # type: (str) -> None
    """Install what ``kind`` needs; raises :class:`CannotInstall` with the reason."""
    lock = LOCKS[kind][0]
    print("Installing %s into .venv (once, about a minute) ..." % lock, flush=True)
    make_environment()
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-input", "--require-hashes", "-r", os.path.join(ROOT, lock)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise CannotInstall(why_not(done.stdout.decode(errors="replace"), lock))
    with open(stamp_path(kind), "w") as file:
        file.write(fingerprint(kind))


def why_not(output, lock):  # type: (str, str) -> str
    """What pip's output means, in a sentence; pip's own words where we know no better ones."""
    if NO_COMPILER.search(output):
        return (
            "A package has no ready-made build for this machine and there is no compiler to build it; "
            "install one (on Debian and Ubuntu the package build-essential) and run this again."
        )
    return "%s\npip could not install %s; its own words stand above." % (output.rstrip(), lock)


def main():  # type: () -> int
    """Install unless it is installed; the exit code says whether the environment stands."""
    kind = sys.argv[1]
    if sys.version_info < OLDEST:
        found = "%d.%d" % sys.version_info[:2]
        print(
            "Qiquan needs Python 3.11 or newer; %s is Python %s." % (sys.executable, found), file=sys.stderr
        )
        return 1
    if is_installed(kind) or (kind == "run" and is_installed("dev")):
        return 0
    try:
        install(kind)
    except CannotInstall as reason:
        print(reason, file=sys.stderr)
        return 1
    except PermissionError as reason:
        print("Cannot write %s; it belongs to another user." % reason.filename, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
