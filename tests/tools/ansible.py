#!/usr/bin/env python3
"""Ansible's IAM modules against a server: create, change and delete, each twice.

    python3 tests/tools/ansible.py --bailiwick target/release/bailiwick
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from environments import HERE, Checks, binary, environment, version

import material
import process

PACKAGES = ("ansible", "boto3")


class Playbook:
    """The playbook, run against a server."""

    def __init__(self, programs, server):
        self.programs = programs
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ansible-test-"))
        shutil.copy(HERE / "ansible" / "life.yml", self.folder)
        variables = {
            "ansible_python_interpreter": str(programs / "python"),
            # As `lookup('file', ...)` gives it: IAM keeps the text without its last newline.
            "certificate": material.text("leaf.pem").strip(), "certificate_key": material.text("leaf-key.pem"),
            "saml": [material.saml("first"), material.saml("second")],
        }
        (self.folder / "variables.json").write_text(json.dumps(variables))
        self.environment = process.clean_environment(
            AWS_ENDPOINT_URL=server.url, AWS_REGION="us-east-1", HOME=str(self.folder),
            ANSIBLE_LOCALHOST_WARNING="False", ANSIBLE_INVENTORY_UNPARSED_WARNING="False",
            ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_LOCAL_TEMP=str(self.folder / "temporary"),
            **server.key().environment())

    def run(self, stage):
        """Runs a stage: (exit code, the counts, names of tasks that changed something, what failed)."""
        done = subprocess.run(
            [self.programs / "ansible-playbook", "life.yml", "-e", f"stage={stage}", "-e", "@variables.json"],
            cwd=self.folder, env=self.environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=900)
        try:
            found = json.loads(done.stdout[done.stdout.index("{"):])
        except ValueError:
            return done.returncode, {}, [], [done.stdout[-3000:] + done.stderr[-3000:]]
        changed, failed = [], []
        for play in found["plays"]:
            for task in play["tasks"]:
                for result in task["hosts"].values():
                    if result.get("changed"):
                        changed.append(task["task"]["name"])
                    if result.get("failed"):
                        failed.append((task["task"]["name"], result.get("msg"), str(result.get("exception"))[-1500:]))
        return done.returncode, found["stats"]["localhost"], changed, failed


def main():
    """Runs every stage twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    binary(parser)
    options = parser.parse_args()
    programs = environment("ansible", *PACKAGES)
    shown = subprocess.run(
        [programs / "ansible-galaxy", "collection", "list", "amazon.aws"], text=True, capture_output=True).stdout
    collection = next((line.split()[1] for line in shown.splitlines() if line.startswith("amazon.aws")), "?")
    print(f"ansible {version(programs, 'ansible')}, ansible-core {version(programs, 'ansible-core')}, amazon.aws {collection}")
    checks = Checks()
    with process.Server(options.bailiwick) as server:
        book = Playbook(programs, server)
        for stage in ("create", "change", "delete"):
            code, stats, changed, failed = book.run(stage)
            if not checks.check(f"{stage}: {len(changed)} tasks changed something", code == 0 and changed, failed):
                break
            code, stats, changed, failed = book.run(stage)
            checks.check(f"{stage} again: {stats.get('ok')} tasks, none changes anything", code == 0 and not changed, changed or failed)
        shutil.rmtree(book.folder, ignore_errors=True)
    checks.end()


if __name__ == "__main__":
    sys.exit(main())
