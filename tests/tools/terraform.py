#!/usr/bin/env python3
"""Terraform and its AWS provider against a server: create, read back, change, mend drift, destroy.

`terraform` (or what `--terraform` names, such as `tofu`) must be on the machine. Where the provider
cannot be downloaded, `--mirror` names a folder of providers as `terraform providers mirror` makes it.

    python3 tests/tools/terraform.py --bailiwick target/release/bailiwick --mirror DIR
"""

import argparse
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from environments import HERE, Checks, binary, rerun

rerun("boto3", "boto3")

import boto3  # noqa: E402
import material  # noqa: E402
import process  # noqa: E402
import signing  # noqa: E402
import totp  # noqa: E402

class Terraform:
    """A working folder."""

    def __init__(self, program, server, mirror):
        self.program = program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="terraform-test-"))
        shutil.copy(HERE / "terraform" / "main.tf", self.folder)
        settings = ""
        if mirror:
            settings = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        (self.folder / "settings").write_text(settings)
        (self.folder / "terraform.tfvars.json").write_text(json.dumps({
            "certificate": material.text("leaf.pem"),
            "certificate_key": material.text("leaf-key.pem"),
            "ssh_key": material.text("ssh-a.pub").strip(),
            "saml": [material.saml("first"), material.saml("second")],
        }))
        self.environment = process.clean_environment(
            AWS_ENDPOINT_URL=server.url, TF_IN_AUTOMATION="1", CHECKPOINT_DISABLE="1",
            **server.key().environment())
        if mirror:
            self.environment["TF_CLI_CONFIG_FILE"] = str(self.folder / "settings")

    def run(self, *arguments):
        """Runs a command of terraform: (exit code, output)."""
        done = subprocess.run(
            [self.program, *arguments], cwd=self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        return done.returncode, done.stdout

    def apply(self, change):
        return self.run("apply", "-no-color", "-auto-approve", "-input=false", f"-var=change={str(change).lower()}")

    def plan(self, change):
        """0: nothing to do, 1: an error, 2: something to do."""
        return self.run(
            "plan", "-no-color", "-detailed-exitcode", "-input=false", f"-var=change={str(change).lower()}")

    def addresses(self):
        return set(self.run("state", "list")[1].split())


def drift(iam):
    """Changes made behind terraform's back."""
    iam.tag_role(RoleName="role", Tags=[{"Key": "Stage", "Value": "drifted"}])
    iam.update_role(RoleName="role", Description="drifted", MaxSessionDuration=43200)
    iam.detach_group_policy(
        GroupName="group-renamed", PolicyArn="arn:aws:iam::aws:policy/job-function/ViewOnlyAccess")
    iam.delete_user_policy(UserName="one-renamed", PolicyName="inline")
    iam.put_user_policy(UserName="three", PolicyName="stray", PolicyDocument=json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))
    iam.update_account_password_policy(MinimumPasswordLength=6)
    iam.remove_user_from_group(UserName="three", GroupName="second")
    iam.update_access_key(
        UserName="two", Status="Active",
        AccessKeyId=iam.list_access_keys(UserName="two")["AccessKeyMetadata"][0]["AccessKeyId"])


def clutter(iam):
    """Things that hang on a user with `force_destroy`, which the provider must find and take away."""
    iam.create_access_key(UserName="one-renamed")
    iam.create_login_profile(UserName="one-renamed", Password="Correct-horse-battery-1")
    iam.upload_signing_certificate(
        UserName="one-renamed", CertificateBody=material.text("signing-b.pem"))
    iam.upload_ssh_public_key(
        UserName="one-renamed", SSHPublicKeyBody=material.text("ssh-b.pub"))
    iam.create_service_specific_credential(
        UserName="one-renamed", ServiceName="cassandra.amazonaws.com")
    device = totp.Device(iam.create_virtual_mfa_device(VirtualMFADeviceName="clutter"))
    iam.enable_mfa_device(UserName="one-renamed", **device.pair())
    for _ in range(3):
        iam.create_policy_version(
            PolicyArn=iam.get_policy(PolicyArn="arn:aws:iam::123456789012:policy/policies/policy")["Policy"]["Arn"],
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}))
    for name in [role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("prefixed-")]:
        iam.attach_role_policy(RoleName=name, PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
        iam.put_role_policy(RoleName=name, PolicyName="stray", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}))


PROVIDER = """terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

"""


def mending(checks, server, iam, options):
    """What `audit fix --format terraform` writes is planned as a change of what is there, and does what it says."""
    def policy(*actions):
        return json.dumps({"Version": "2012-10-17", "Statement": [
            {"Sid": f"S{number}", "Effect": "Allow", "Action": action, "Resource": "*"}
            for number, action in enumerate(actions)]})

    iam.create_user(UserName="fixed.user")
    iam.put_user_policy(UserName="fixed.user", PolicyName="both", PolicyDocument=policy("*", "s3:ListAllMyBuckets"))
    made = iam.create_policy(
        PolicyName="wide", Path="/team/", Description="a description", PolicyDocument=policy("*", "ec2:Describe*"),
        Tags=[{"Key": "owner", "Value": "team"}])["Policy"]
    iam.attach_user_policy(UserName="fixed.user", PolicyArn=made["Arn"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="terraform-fix-"))
    details = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    for page in iam.get_paginator("get_account_authorization_details").paginate():
        for name, held in details.items():
            held.extend(page[name])
    (folder / "details.json").write_text(json.dumps(details, default=str))
    words = ["audit", "fix", folder / "details.json", "--check", "POL-01", "--check", "POL-03"]
    done = subprocess.run(
        [options.bailiwick, *words, "--format", "terraform"], capture_output=True, text=True,
        env=process.clean_environment())
    checks.check("fixes are written for Terraform", done.returncode == 1, done.stderr)
    tool = Terraform(options.terraform, server, options.mirror)
    (tool.folder / "main.tf").write_text(PROVIDER + done.stdout)
    (tool.folder / "terraform.tfvars.json").unlink()
    code, output = tool.run("init", "-no-color", "-input=false")
    checks.check("the configuration is read", code == 0, output)
    code, output = tool.run("plan", "-no-color", "-input=false", "-detailed-exitcode", "-out=fixes")
    expected = "2 to import, 0 to add, 2 to change, 0 to destroy"
    if not checks.check(f"the plan: {expected}", code == 2 and expected in output):
        print(done.stdout, output)
    code, output = tool.run("apply", "-no-color", "-input=false", "fixes")
    checks.check("it is applied", code == 0, output)
    inline = iam.get_user_policy(UserName="fixed.user", PolicyName="both")["PolicyDocument"]
    held = iam.get_policy(PolicyArn=made["Arn"])["Policy"]
    version = iam.get_policy_version(PolicyArn=made["Arn"], VersionId=held["DefaultVersionId"])["PolicyVersion"]
    found = [[one["Action"] for one in document["Statement"]] for document in (inline, version["Document"])]
    checks.check("what allowed everything is gone", found == [["s3:ListAllMyBuckets"], ["ec2:Describe*"]], found)
    checks.check("description and tags are as they were", (held["Description"], held["Tags"]) == (
        "a description", [{"Key": "owner", "Value": "team"}]), held)
    shutil.rmtree(tool.folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    iam.detach_user_policy(UserName="fixed.user", PolicyArn=made["Arn"])
    for one in iam.list_policy_versions(PolicyArn=made["Arn"])["Versions"]:
        if not one["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=made["Arn"], VersionId=one["VersionId"])
    iam.delete_policy(PolicyArn=made["Arn"])
    iam.delete_user_policy(UserName="fixed.user", PolicyName="both")
    iam.delete_user(UserName="fixed.user")


def calls(server):
    """How often each operation was called and what it answered, out of the trail of events."""
    events, _ = signing.Wire(server.url, server.key()).follow(None)
    return collections.Counter((event["eventName"], event.get("errorCode")) for event in events)


def counts(iam):
    """What the account holds. The version of tokens is a setting that the provider leaves as it is."""
    found = iam.get_account_summary()["SummaryMap"].items()
    return {name: number for name, number in found if "Quota" not in name and name != "GlobalEndpointTokenVersion"}


def main():
    """Runs the whole life of the configuration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    binary(parser)
    parser.add_argument("--terraform", default="terraform", help="the program")
    parser.add_argument("--mirror", type=pathlib.Path, help="a folder with providers")
    parser.add_argument("--calls", action="store_true", help="list the calls that were made")
    options = parser.parse_args()
    if not shutil.which(options.terraform):
        print(f"{options.terraform} is not on this machine", file=sys.stderr)
        sys.exit(2)

    checks = Checks()
    with process.Server(options.bailiwick) as server:
        iam = boto3.client(
            "iam", region_name="us-east-1", endpoint_url=server.url,
            aws_access_key_id=server.key().id, aws_secret_access_key=server.key().secret)
        before = counts(iam)
        tool = Terraform(options.terraform, server, options.mirror)

        def step(what, expected, found):
            code, output = found
            if not checks.check(what, code == expected, f"exit code {code}"):
                print(output[-8000:])

        step("init", 0, tool.run("init", "-no-color", "-input=false"))
        print(tool.run("version")[1].strip())
        step("the first apply creates everything", 0, tool.apply(False))
        kinds = {address.split(".")[0] for address in tool.addresses() if not address.startswith("data.")}
        print(f"{len(tool.addresses())} addresses, {len(kinds)} kinds of resource")
        step("a second plan has nothing to do", 0, tool.plan(False))
        step("the second apply changes everything", 0, tool.apply(True))
        step("the plan after it has nothing to do", 0, tool.plan(True))
        drift(iam)
        step("a plan sees changes made elsewhere", 2, tool.plan(True))
        step("an apply mends them", 0, tool.apply(True))
        step("the plan after it has nothing to do", 0, tool.plan(True))
        clutter(iam)
        step("destroy takes everything away", 0, tool.run(
            "destroy", "-no-color", "-auto-approve", "-input=false", "-var=change=true"))
        checks.check("nothing is left", not tool.addresses(), tool.addresses())
        after = counts(iam)
        changed = {name: (before[name], after[name]) for name in before if before[name] != after[name]}
        checks.check("the account counts as before", not changed, changed)
        mending(checks, server, iam, options)
        made = calls(server)
        failures = {call: number for call, number in made.items() if call[1]}
        print(f"{sum(made.values())} calls of {len({name for name, _ in made})} operations; refused:")
        for (name, code), number in sorted(failures.items()):
            print(f"  {name} {code} {number}")
        bad = [call for call in failures if call[1] in ("InternalFailure", "ServiceFailure", "InvalidAction", "NotImplemented")]
        checks.check("no call met a fault of the server", not bad, bad)
        if options.calls:
            for (name, code), number in sorted(made.items(), key=str):
                print(f"  {name} {code or ''} {number}")
        shutil.rmtree(tool.folder, ignore_errors=True)
    checks.end()


main()
