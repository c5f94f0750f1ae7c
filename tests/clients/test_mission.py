"""The acceptance script, as one test."""

import os
import subprocess
import sys

import process
import pytest
from conftest import ROOT


@pytest.mark.untraced
def test_the_mission_table(binary):
    clients = {name: value for name, value in os.environ.items() if name.startswith("AWS_CLI_")}
    script = ROOT / "tests/acceptance/mission.py"
    done = subprocess.run(
        [sys.executable, str(script), "--bailiwick", binary],
        env=process.clean_environment(**clients), capture_output=True, text=True, timeout=900,
    )
    failed = [part for part in done.stdout.split("\n== ") if "\nFAIL " in part]
    assert done.returncode == 0, "\n== ".join(failed)[-12000:] + done.stdout[-300:] + done.stderr[-2000:]
