#!/usr/bin/env python3
"""One planted account audited here, by cloudsplaining and by parliament, one after the other.

The account comes from the project's generator: real ways to administrator, and decoys that a boundary, an SCP, a
Deny or a resource scope blocks. Prints a table in Markdown of time, memory and, where a tool tells of escalation,
what it found of the truth.

    python3 tests/tools/analysts.py --bailiwick target/release/bailiwick [--principals 10000]
"""

import argparse
import csv
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

from environments import ROOT, Checks, binary, environment, version

CLOUDSPLAINING = ("cloudsplaining", "boto3", "cryptography")
# parliament still asks setuptools for its data files.
PARLIAMENT = ("parliament", "setuptools<81")
ACCOUNT_FILE = "authorization-details.json"


def plant(folder, seed, principals):
    """The folder of an audit: the planted account with its organization, and the truth beside it."""
    made = folder / "made"
    made.mkdir()
    subprocess.run(
        ["cargo", "run", "--quiet", "--release", "-p", "bailiwick-analyzer", "--example", "planted", "--",
         str(seed), str(principals), str(made)], cwd=ROOT, check=True)
    account = folder / "account"
    account.mkdir()
    (made / "export.json").rename(account / ACCOUNT_FILE)
    export = json.loads((account / ACCOUNT_FILE).read_text())
    number = export["UserDetailList"][0]["Arn"].split(":")[4]
    organization(account / "organization", made, number)
    credential_report(account / "credential-report.csv", export["UserDetailList"], number)
    return account, json.loads((made / "truth.json").read_text())


def organization(folder, made, account):
    """Root, one unit, the account in it, and the SCPs of both."""
    wanted = {
        "organization": {"Organization": {
            "Id": "o-exampleorg1", "FeatureSet": "ALL", "MasterAccountId": "999999999999",
            "Arn": "arn:aws:organizations::999999999999:organization/o-exampleorg1"}},
        "roots": {"Roots": [{"Id": "r-ab12", "Name": "Root", "PolicyTypes": [
            {"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]},
        "accounts": {"Accounts": [
            {"Id": number, "Name": number, "Status": "ACTIVE"} for number in (account, "999999999999")]},
        "delegated-administrators": {"DelegatedAdministrators": []},
        "units/r-ab12": {"OrganizationalUnits": [{"Id": "ou-ab12-unit0001", "Name": "unit"}]},
        "units/ou-ab12-unit0001": {"OrganizationalUnits": []},
        "accounts/r-ab12": {"Accounts": [{"Id": "999999999999"}]},
        "accounts/ou-ab12-unit0001": {"Accounts": [{"Id": account}]},
    }
    listed = []
    for path in sorted(made.glob("scp-*.json")):
        level, number = re.fullmatch(r"scp-(\d+)-(\d+)", path.stem).groups()
        name = f"p-{level}{number}example"
        summary = {"Id": name, "Name": path.stem, "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": False}
        listed.append(summary)
        wanted[f"policy/{name}"] = {"Policy": {"PolicySummary": summary, "Content": path.read_text()}}
        target = ("r-ab12", "ROOT") if level == "0" else ("ou-ab12-unit0001", "ORGANIZATIONAL_UNIT")
        wanted[f"targets/{name}"] = {"Targets": [{"TargetId": target[0], "Type": target[1], "Name": "unit"}]}
    # AWS attaches this one everywhere; a level where nothing is allowed would leave nothing.
    name = "p-FullAWSAccess"
    summary = {"Id": name, "Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": True}
    listed.append(summary)
    content = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    wanted[f"policy/{name}"] = {"Policy": {"PolicySummary": summary, "Content": json.dumps(content)}}
    wanted[f"targets/{name}"] = {"Targets": [{"TargetId": account, "Type": "ACCOUNT", "Name": account}]}
    wanted["policies/SERVICE_CONTROL_POLICY"] = {"Policies": listed}
    for kind in ("RESOURCE_CONTROL_POLICY", "TAG_POLICY", "AISERVICES_OPT_OUT_POLICY"):
        wanted[f"policies/{kind}"] = {"Policies": []}
    for name, value in wanted.items():
        path = folder / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value))


def credential_report(path, users, account):
    """A line for root and for each user."""
    columns = (
        "user arn user_creation_time password_enabled password_last_used password_last_changed password_next_rotation "
        "mfa_active access_key_1_active access_key_1_last_rotated access_key_1_last_used_date "
        "access_key_1_last_used_region access_key_1_last_used_service access_key_2_active access_key_2_last_rotated "
        "access_key_2_last_used_date access_key_2_last_used_region access_key_2_last_used_service cert_1_active "
        "cert_1_last_rotated cert_2_active cert_2_last_rotated").split()
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, columns)
        out.writeheader()
        root = {"user": "<root_account>", "arn": f"arn:aws:iam::{account}:root", "CreateDate": "2020-01-01T00:00:00+00:00"}
        for at, user in enumerate([root, *users]):
            row = dict.fromkeys(columns, "N/A") | {
                "user": user.get("user") or user["UserName"], "arn": user.get("arn") or user["Arn"],
                "user_creation_time": user["CreateDate"], "password_enabled": "not_supported" if at == 0 else "false",
                "mfa_active": "true", "access_key_1_active": str(at % 3 == 1).lower(),
                "access_key_2_active": "false", "cert_1_active": "false", "cert_2_active": "false"}
            if at % 3 == 1:
                row |= {"access_key_1_last_rotated": "2024-05-01T10:00:00+00:00",
                        "access_key_1_last_used_date": "2026-01-02T10:00:00+00:00",
                        "access_key_1_last_used_region": "us-east-1", "access_key_1_last_used_service": "s3"}
            out.writerow(row)


def measured(words, cwd, out):
    """Wall seconds, processor seconds, MiB at the peak and exit code of a command."""
    begun = time.monotonic()
    with out.open("wb") as file, (cwd / "stderr").open("wb") as told:
        child = subprocess.Popen([str(word) for word in words], cwd=cwd, stdin=subprocess.DEVNULL, stdout=file, stderr=told)
        _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - begun
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, child.returncode


def flagged(results):
    """The ARNs of those to whom cloudsplaining attributes an escalation: by their policies or their groups'."""
    guilty = {
        number for kind in ("aws_managed_policies", "customer_managed_policies", "inline_policies")
        for number, policy in results[kind].items() if policy.get("PrivilegeEscalation", {}).get("findings")}
    kinds = ("aws_managed_policies", "customer_managed_policies", "inline_policies")

    def is_guilty(holder):
        return any(number in guilty for kind in kinds for number in holder.get(kind, {}))

    groups = {number for number, group in results["groups"].items() if is_guilty(group)}
    members = {user["arn"] for user in results["users"].values()
               if is_guilty(user) or any(number in groups for number in user.get("groups", {}))}
    return members | {role["arn"] for role in results["roles"].values() if is_guilty(role)}


def main():
    """Plants, runs the tools in turn, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    binary(parser)
    parser.add_argument("--principals", default=10_000, type=int)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--rounds", default=5, type=int, help="runs of ours; the peers run once")
    options = parser.parse_args()
    peers = {"cloudsplaining": environment("cloudsplaining", *CLOUDSPLAINING),
             "parliament": environment("parliament", *PARLIAMENT)}
    checks = Checks()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="analysts-test-"))
    account, truth = plant(folder, options.seed, options.principals)
    export = account / ACCOUNT_FILE
    size = export.stat().st_size / 1e6
    certain = {arn for arn, expect in truth.items() if expect.startswith(("Certain", "Chain"))}
    nothing = {arn for arn, expect in truth.items() if expect == "Nothing"}
    conditional = {arn for arn, expect in truth.items() if expect.startswith("Conditional")}
    print(f"{options.principals} principals, {size:.1f} MB; ways for certain {len(certain)}, "
          f"conditional {len(conditional)}, decoys {len(nothing)}", flush=True)

    ours = {}
    scps = [f"{'root' if path.stem[4] == '0' else 'unit'}={path}" for path in sorted((folder / "made").glob("scp-*"))]
    for name, words in (
        ("audit", ("audit", account, "--format", "json")),
        ("escalate", ("escalate", export, "--format", "json", "--scp", *scps)),
    ):
        runs = [measured([options.bailiwick.resolve(), *words], folder, folder / f"{name}.json")
                for _ in range(options.rounds)]
        checks.check(f"bailiwick {name} ran", all(run[3] in (0, 1) for run in runs), (folder / "stderr").read_text()[-600:])
        ours[name] = tuple(statistics.median(column) for column in list(zip(*runs))[:3])
    found = json.loads((folder / "escalate.json").read_text())
    said = {"certain": set(), "conditional": set()}
    for finding in found["findings"]:
        said["certain" if finding["certain"] else "conditional"].add(finding["principal"])
    checks.check("ours: each way is found", certain <= said["certain"], len(certain - said["certain"]))
    checks.check("ours: no decoy is certain", not nothing & said["certain"], sorted(nothing & said["certain"])[:3])
    checks.check("ours: what needs MFA is conditional", conditional <= said["conditional"] - said["certain"],
                 len(conditional - said["conditional"]))

    rows = [("bailiwick audit, everything on", *ours["audit"], ""),
            ("bailiwick escalate alone", *ours["escalate"],
             f"{len(certain & said['certain'])} of {len(certain)}, {len(nothing & said['certain'])} decoys")]
    reports = folder / "reports"
    reports.mkdir()
    run = measured([peers["cloudsplaining"] / "cloudsplaining", "scan", "--input-file", export, "--output", reports,
                    "--skip-open-report"], folder, folder / "cloudsplaining.txt")
    if checks.check("cloudsplaining ran", run[3] == 0, (folder / "stderr").read_text()[-600:]):
        guilty = flagged(json.loads(next(reports.glob("iam-results*.json")).read_text()))
        rows.append((f"cloudsplaining {version(peers['cloudsplaining'], 'cloudsplaining')} scan", *run[:3],
                     f"{len(certain & guilty)} of {len(certain)}, {len(nothing & guilty)} decoys"))
    run = measured([peers["parliament"] / "parliament", "--auth-details-file", export, "--json"],
                   folder, folder / "parliament.txt")
    told = (folder / "parliament.txt").read_text()
    if checks.check("parliament ran", told.lstrip().startswith("{"), (folder / "stderr").read_text()[-600:]):
        rows.append((f"parliament {version(peers['parliament'], 'parliament')}", *run[:3], "does not tell"))
    print("\n| tool | wall, s | processor, s | peak, MiB | takes | escalation found |\n|---|---|---|---|---|---|")
    for name, wall, processor, peak, words in rows:
        print(f"| {name} | {wall:.2f} | {processor:.2f} | {peak:.0f} | {wall / rows[0][1]:.1f} x | {words} |")
    checks.end()


main()
