#!/usr/bin/env python3
"""cloudsplaining against a server: `download` of a faulty account, then `scan` of what it wrote.

    python3 tests/tools/cloudsplaining.py --bailiwick target/release/bailiwick
"""

import argparse
import json
import pathlib
import subprocess
import tempfile

from environments import Checks, binary, environment, rerun, version

PACKAGES = ("cloudsplaining", "boto3", "cryptography")
rerun("cloudsplaining", *PACKAGES)

import faults  # noqa: E402
import process  # noqa: E402


def main():
    """Runs both commands and looks at the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    binary(parser)
    options = parser.parse_args()
    programs = environment("cloudsplaining", *PACKAGES)
    checks = Checks()
    with process.Server(options.bailiwick, dev=True) as server:
        faults.plant(server)
        folder = pathlib.Path(tempfile.mkdtemp(prefix="cloudsplaining-test-"))
        settings = process.clean_environment(
            AWS_ENDPOINT_URL=server.url, AWS_DEFAULT_REGION="us-east-1", HOME=str(folder),
            **server.key().environment())
        print(f"cloudsplaining {version(programs, 'cloudsplaining')}")

        def run(*arguments):
            done = subprocess.run(
                [programs / "cloudsplaining", *arguments], cwd=folder, env=settings, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
            if not checks.check(" ".join(arguments[:1]), done.returncode == 0, done.returncode) or "Traceback" in done.stdout:
                print(done.stdout[-4000:])
            return done.stdout

        run("download", "--output", str(folder))
        written = list(folder.glob("*.json"))
        checks.check("one file was written", len(written) == 1, written)
        found = json.loads(written[0].read_text())
        iam = faults.client(server)
        for key, method, items in (
            ("UserDetailList", iam.list_users, "Users"), ("GroupDetailList", iam.list_groups, "Groups"),
            ("RoleDetailList", iam.list_roles, "Roles"),
        ):
            listed = {item["Arn"] for item in method()[items]}
            checks.check(f"{key} has all {len(listed)}", {item["Arn"] for item in found[key]} == listed)
        run("scan", "--input-file", str(written[0]), "--output", str(folder), "--skip-open-report")
        reports = {path.name for path in folder.iterdir()} - {written[0].name}
        checks.check("a report and its data were written", any(name.endswith(".html") for name in reports), reports)
        data = next((json.loads(path.read_text()) for path in folder.glob("iam-results*.json")), None)
        if checks.check("the results are there", data is not None, reports):
            # It reads attached policies only.
            names = {item["PolicyName"]: item for kind in ("customer_managed_policies", "inline_policies")
                     for item in data[kind].values()}

            def found_for(name, kind):
                return bool(names.get(name, {}).get(kind, {}).get("findings"))

            for name, kind in (
                ("climber", "PrivilegeEscalation"), ("climb", "PrivilegeEscalation"), ("attached", "InfrastructureModification"),
                ("any-role", "CredentialsExposure"), ("all-of-kms", "ServiceWildcard"),
            ):
                checks.check(f"{name} is found for {kind}", found_for(name, kind), names.get(name))
            checks.check("kms is not found for escalation", not found_for("kms", "PrivilegeEscalation"), names.get("kms"))
    checks.end()


main()
