"""Python environments for the heavy tools, each made once below `target/tools` by package name.

Standard library only, so that a bare machine with Python can run every script of this folder.
"""

import pathlib
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT / "target" / "tools"

# The server processes of the client tests, and the authenticator.
sys.path.append(str(ROOT / "tests" / "clients"))


def environment(name, *packages):
    """The folder of programs of an environment that holds some packages."""
    folder = TOOLS / name
    done = folder / "installed"
    if not done.exists() or done.read_text() != " ".join(packages):
        print(f"installing {', '.join(packages)} into {folder.relative_to(ROOT)}", flush=True)
        if not (folder / "bin" / "python").exists():
            venv.create(folder, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # The resolver of an old pip needs very long for what has many dependencies.
        subprocess.run([*pip, "--upgrade", "pip"], check=True)
        subprocess.run([*pip, *packages], check=True)
        done.write_text(" ".join(packages))
    return folder / "bin"


def rerun(name, *packages):
    """Goes on in an environment with the packages; a script calls it before it imports them."""
    programs = environment(name, *packages)
    if pathlib.Path(sys.prefix).resolve() != programs.parent.resolve():
        sys.exit(subprocess.run([programs / "python", *sys.argv]).returncode)


def version(programs, package):
    """The version of a package that is installed."""
    shown = subprocess.run(
        [programs / "python", "-c", f"import importlib.metadata as m; print(m.version({package!r}))"],
        capture_output=True, text=True, check=True,
    )
    return shown.stdout.strip()


def binary(parser):
    """Adds the option that names the binary under test."""
    built = [ROOT / "target" / kind / "bailiwick" for kind in ("release", "debug")]
    default = next((path for path in built if path.exists()), built[0])
    parser.add_argument("--bailiwick", default=default, type=pathlib.Path, help="the binary under test")


class Checks:
    """What a script found: prints each check as PASS or FAIL, and ends with the tally."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def check(self, what, holds, seen=""):
        """Notes one check."""
        self.passed, self.failed = self.passed + bool(holds), self.failed + (not holds)
        print(f"{'PASS' if holds else 'FAIL'}  {what}" + (f": {seen}" if seen != "" and not holds else ""), flush=True)
        return bool(holds)

    def end(self):
        """Prints the tally and ends the script."""
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)
