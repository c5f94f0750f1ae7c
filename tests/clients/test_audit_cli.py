"""`bailiwick audit` of files: posture of an account without a server.

Names that begin with a mission row's number show that row.
"""

import csv
import io
import json
import os
import shlex
import stat
import subprocess

import process
import pytest
from commandline import Tool

pytestmark = pytest.mark.untraced

ACCOUNT = "123456789012"
AS_OF = ("--as-of", "2026-06-01T00:00:00Z")
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
    "password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
    "access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
    "access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
ROOT = (
    f"<root_account>,arn:aws:iam::{ACCOUNT}:root,2020-01-01T00:00:00+00:00,not_supported,"
    "no_information,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,"
    "false,N/A,false,N/A"
)


def row(name, password="false", mfa="true", key="false", rotated="N/A", used="N/A"):
    return (
        f"{name},arn:aws:iam::{ACCOUNT}:user/{name},2025-01-01T00:00:00+00:00,{password},"
        f"2026-05-30T00:00:00+00:00,2026-05-01T00:00:00+00:00,N/A,{mfa},{key},{rotated},{used},"
        "eu-west-1,s3,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
    )


def report(*rows):
    return "\n".join([HEADER, ROOT, *rows]) + "\n"


def unique(prefix, name):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    seed = sum((place + 1) * ord(letter) for place, letter in enumerate(name))
    return prefix + "".join(letters[(seed * (place + 3)) % 32] for place in range(17))


def user(name, **more):
    return {
        "Path": "/", "UserName": name, "UserId": unique("AIDA", name),
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "CreateDate": "2025-01-01T00:00:00Z",
        "GroupList": [], "AttachedManagedPolicies": [], "UserPolicyList": [], "Tags": [], **more,
    }


def details(*users):
    return {"UserDetailList": list(users), "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


def attached(name):
    return {"PolicyName": name, "PolicyArn": f"arn:aws:iam::aws:policy/{name}"}


def inline(name, *statements):
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"PolicyName": name, "PolicyDocument": document}


ADMIN = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Audit(Tool):
    """Runs `bailiwick audit` in an empty folder."""

    def ask(self, *args):
        """The report, the findings by check, and the outcomes."""
        whole = self.answer(*args, *AS_OF)
        found = {}
        for finding in whole["findings"]:
            found.setdefault(finding["check"], []).append(finding)
        return whole, found, {check["id"]: check["outcome"] for check in whole["checks"]}


@pytest.fixture
def audit(binary, tmp_path):
    return Audit(binary, tmp_path, "audit")


def test_authorization_details_alone_leave_most_checks_unassessed(audit):
    audit.write("g.json", details(user("alice")))
    whole, found, outcomes = audit.ask("g.json")
    assert outcomes["USR-01"] == "pass"
    assert outcomes["MFA-01"] == outcomes["ROOT-01"] == outcomes["LOG-01"] == "not-assessed"
    assert len(outcomes) == 158
    gap = next(check for check in whole["checks"] if check["id"] == "MFA-01")["notAssessed"][0]
    assert gap["missing"] == "credential report: not given"
    table = audit("g.json", *AS_OF).stdout
    assert "Not assessed, since it is missing" in table and "credential report: not given" in table


def test_m112_findings_carry_evidence_and_a_fix(audit):
    audit.write("x/authorization-details.json", details(user("alice", UserPolicyList=[inline("own", ADMIN)])))
    audit.write("x/credential-report.csv", report(
        row("alice", password="true", mfa="false", key="true", rotated="2025-01-01T00:00:00+00:00",
            used="2025-02-01T00:00:00+00:00")))
    _, found, outcomes = audit.ask("x")
    for check in ("MFA-01", "MFA-03", "KEY-01", "KEY-03", "USR-01", "USR-05"):
        assert outcomes[check] == "fail", check
    key = found["KEY-01"][0]
    assert key["subject"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert key["time"] == "2025-01-01T00:00:00Z"
    assert "516 days" in key["why"], key["why"]
    assert key["fix"]["commands"][0].startswith("aws iam update-access-key --user-name alice")
    assert outcomes["ROOT-01"] == outcomes["ROOT-02"] == "pass"


def test_m66_administrators_are_known_by_what_they_may_do(audit):
    guard = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
    audit.write("x/authorization-details.json", details(
        user("viewer", UserPolicyList=[inline("read-only", ADMIN)]),
        user("admin", UserPolicyList=[inline("held", guard)],
             AttachedManagedPolicies=[attached("AdministratorAccess")]),
    ))
    audit.write("x/credential-report.csv", report(row("viewer", mfa="false"), row("admin", mfa="false")))
    _, found, _ = audit.ask("x")
    assert [finding["subject"] for finding in found["MFA-03"]] == [f"arn:aws:iam::{ACCOUNT}:user/viewer"]


def test_baseline_new_and_fixed_and_ids_that_stay(audit):
    audit.write("a.csv", report(row("alice", password="true", mfa="false")))
    audit.write("b.csv", report(row("bob", password="true", mfa="false"), row("alice")))
    first, before, _ = audit.ask("a.csv")
    audit.write("first.json", first)
    second, after, _ = audit.ask("b.csv", "--baseline", "first.json")
    assert [(f["subject"].rsplit("/")[-1], f["new"]) for f in after["MFA-01"]] == [("bob", True)]
    assert before["MFA-01"][0]["id"] in second["fixed"]
    again, same, _ = audit.ask("a.csv", "--baseline", "first.json")
    assert all(not finding["new"] for finding in again["findings"]) and "fixed" not in again
    assert "Since the baseline: " in audit("b.csv", *AS_OF, "--baseline", "first.json").stdout
    # What is no longer assessed is not fixed.
    audit.write("g.json", details(user("alice")))
    third, _, _ = audit.ask("g.json", "--baseline", "first.json")
    assert before["MFA-01"][0]["id"] not in third.get("fixed", [])


def test_exceptions_have_a_reason_and_an_end(audit):
    audit.write("a.csv", report(row("alice", password="true", mfa="false")))
    settings = '[[exceptions]]\ncheck = "MFA-01"\nsubject = "*:user/alice"\nreason = "{}"\nuntil = "{}"\n'
    audit.write("s.toml", settings.format("ticket 7", "2026-12-31"))
    whole, found, outcomes = audit.ask("a.csv", "--settings", "s.toml")
    assert found["MFA-01"][0]["excepted"] == "ticket 7 (until 2026-12-31)"
    assert outcomes["MFA-01"] == "pass"
    audit.write("s.toml", settings.format("ticket 7", "2026-05-31"))
    whole, found, outcomes = audit.ask("a.csv", "--settings", "s.toml")
    assert outcomes["MFA-01"] == "fail" and "excepted" not in found["MFA-01"][0]
    assert "ended on 2026-05-31" in whole["endedExceptions"][0]
    audit.write("s.toml", '[[exceptions]]\ncheck = "MFA-01"\nuntil = "2026-12-31"\n')
    assert "s.toml:1:1: missing field `reason`" in audit("a.csv", "--settings", "s.toml", code=2).stderr
    audit.write("s.toml", "[limits]\nkey-agee = 3\n")
    assert "s.toml:2:1" in audit("a.csv", "--settings", "s.toml", code=2).stderr


def test_settings_move_limits(audit):
    audit.write("a.csv", report(row("alice", key="true", rotated="2026-05-01T00:00:00+00:00",
                                    used="2026-05-30T00:00:00+00:00")))
    assert audit.ask("a.csv")[2]["KEY-01"] == "pass"
    audit.write("s.toml", "[limits]\nkey-age = 30\n")
    assert audit.ask("a.csv", "--settings", "s.toml")[2]["KEY-01"] == "fail"


def test_bad_input_has_a_place_and_the_rest_is_read(audit):
    audit.write("x/authorization-details.json", details(user("alice")))
    audit.write("x/password-policy.json", '{"PasswordPolicy": {\n  "MinimumPasswordLength": "long"\n}}')
    done = audit("x", *AS_OF, "--format", "json", code=2)
    assert "x/password-policy.json:2:" in done.stderr and "checks that need it are not assessed" in done.stderr
    whole = json.loads(done.stdout)
    outcomes = {check["id"]: check["outcome"] for check in whole["checks"]}
    assert outcomes["PWD-01"] == "not-assessed" and outcomes["USR-01"] == "pass"
    assert whole["faults"][0]["line"] == 2


@pytest.mark.parametrize("content, told", [
    ('{"UserDetailList": [', "EOF"),
    ("hello", "expected"),
    ('{"UserDetailList": []}', "holds no entity"),
    ("[" * 100_000, "deeper"),
    ("user,arn,user_creation_time\na,b\n", "password_enabled"),
])
def test_what_is_no_evidence_is_refused(audit, content, told):
    audit.write("g.json", content)
    done = audit("g.json", code=2)
    assert done.stdout == "" and told in done.stderr, done.stderr


def test_pages_that_end_too_early_pass_nothing(audit):
    audit.write("g.json", {**details(user("alice")), "IsTruncated": True, "Marker": "more"})
    done = audit("g.json", *AS_OF, "--format", "json", code=2)
    outcomes = {check["id"]: check["outcome"] for check in json.loads(done.stdout)["checks"]}
    assert outcomes["USR-01"] == "not-assessed"


def test_files_of_two_accounts_are_refused(audit):
    audit.write("g.json", details(user("alice")))
    audit.write("r.csv", report(row("alice")).replace(ACCOUNT, "210987654321"))
    assert "210987654321" in audit("g.json", "r.csv", code=2).stderr


def test_refused_calls_are_said(audit):
    audit.write("x/collected.json", {"account": ACCOUNT})
    audit.write("x/account-summary.json.error", "An error occurred (AccessDenied) when calling GetAccountSummary")
    audit.write("x/password-policy.json.error", "An error occurred (NoSuchEntity) when calling it")
    whole, found, outcomes = audit.ask("x")
    assert outcomes["PWD-01"] == "fail" and outcomes["ROOT-01"] == "not-assessed"
    assert "AccessDenied" in json.dumps(whole["checks"][0]["notAssessed"])


def test_formats_for_programs(audit):
    audit.write("a.csv", report(row("alice", password="true", mfa="false"), row('"=cmd"')))
    lines = list(csv.DictReader(io.StringIO(audit("a.csv", *AS_OF, "--format", "csv", code=1).stdout)))
    assert any(line["check"] == "MFA-01" and line["severity"] == "critical" for line in lines)
    sarif = json.loads(audit("a.csv", *AS_OF, "--format", "sarif", code=1).stdout)
    run = sarif["runs"][0]
    assert sarif["version"] == "2.1.0" and len(run["tool"]["driver"]["rules"]) == 158
    ids = {result["partialFingerprints"]["findingId/v1"] for result in run["results"]}
    assert len(ids) == len(run["results"])
    assert any("not assessed" in note["message"]["text"]
               for note in run["invocations"][0]["toolExecutionNotifications"])
    events = [json.loads(line) for line in
              audit("a.csv", *AS_OF, "--format", "ocsf", code=1).stdout.splitlines()]
    assert {event["class_uid"] for event in events} == {2003}
    assert {event["compliance"]["status"] for event in events} >= {"Fail", "Pass", "Unknown"}


def test_m110_checks_name_their_controls(audit):
    assert audit("checks", "--count", code=0).stdout.startswith("158 checks, ")
    rows = json.loads(audit("checks", "--format", "json", code=0).stdout)
    root = next(row["check"] for row in rows if row["check"]["id"] == "ROOT-01")
    assert "v3.0 1.4" in root["cis"] and "AC-6" in root["nist"]
    assert "7.2.1" in root["pci"] and "IAM.4" in root["controls"]
    assert all(row["built"] or row["why"] for row in rows)


def test_names_from_the_account_do_not_reach_the_terminal_as_they_are(audit):
    audit.write("a.csv", report(row('"a\x1b[2Jb"', password="true", mfa="false")))
    for form in ("table", "json", "sarif", "ocsf"):
        assert "\x1b" not in audit("a.csv", *AS_OF, "--format", form).stdout


AWS = r"""#!/bin/sh
# Answers as the AWS CLI does, for the calls that a small account needs; refuses the rest.
echo "$*" >>"$CALLS"
case "$*" in
"sts get-caller-identity --query Account"*) echo 123456789012 ;;
"sts get-caller-identity --query Arn"*) echo arn:aws:iam::123456789012:user/auditor ;;
"iam get-account-authorization-details"*) cat "$DATA/details.json" ;;
"iam get-account-summary"*) echo '{"SummaryMap": {"AccountAccessKeysPresent": 0, "AccountMFAEnabled": 1}}' ;;
"iam get-account-password-policy"*) echo "An error occurred (NoSuchEntity) when calling" >&2; exit 254 ;;
"iam generate-credential-report"*) echo COMPLETE ;;
"iam get-credential-report"*) cat "$DATA/report.json" ;;
"iam list-users --query"*) printf 'alice\n' ;;
"iam list-access-keys --user-name alice"*) echo '{"AccessKeyMetadata": []}' ;;
"iam list-mfa-devices --user-name alice"*) echo '{"MFADevices": []}' ;;
"organizations describe-organization"*) echo "(AWSOrganizationsNotInUseException)" >&2; exit 254 ;;
"s3api list-buckets --query"*) printf 'notes\n' ;;
"s3api list-buckets"*) echo '{"Buckets": [{"Name": "notes"}]}' ;;
"s3api get-bucket-policy"*) cat "$DATA/policy.json" ;;
"ec2 describe-regions --query"*) printf 'eu-west-1\n' ;;
"ec2 describe-regions"*) echo '{"Regions": [{"RegionName": "eu-west-1"}]}' ;;
"cloudtrail describe-trails --region eu-west-1 --output json") echo '{"trailList": []}' ;;
*) echo "An error occurred (AccessDenied) when calling it" >&2; exit 254 ;;
esac
"""


def test_the_script_makes_a_folder_that_is_audited(audit):
    """The printed script runs in a POSIX shell, only reads, and what it writes is read back."""
    folder = audit.folder
    audit.write("collect.sh", audit("collect", "--script", code=0).stdout)
    aws = folder / "bin/aws"
    aws.parent.mkdir()
    aws.write_text(AWS)
    aws.chmod(aws.stat().st_mode | stat.S_IXUSR)
    import base64
    audit.write("data/details.json", details(user("alice")))
    audit.write("data/report.json", {
        "Content": base64.b64encode(report(row("alice")).encode()).decode(),
        "GeneratedTime": "2026-05-31T23:00:00Z",
    })
    open_policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::notes/*"}]}
    audit.write("data/policy.json", {"Policy": json.dumps(open_policy)})
    environment = {
        **process.clean_environment(), "PATH": f"{aws.parent}:{os.environ['PATH']}",
        "DATA": str(folder / "data"), "CALLS": str(folder / "calls"),
    }
    done = subprocess.run(
        ["sh", "collect.sh", "out"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    verbs = {line.split()[1] for line in (folder / "calls").read_text().splitlines()}
    assert all(verb.startswith(("get-", "list-", "describe-", "generate-")) for verb in verbs), verbs
    whole, found, outcomes = audit.ask("out")
    assert whole["faults"] == [] and whole["notes"] == [], (whole["faults"], whole["notes"])
    assert outcomes["ROOT-01"] == "pass" and outcomes["PWD-01"] == "fail"
    assert outcomes["ORG-01"] == "fail" and outcomes["LOG-01"] == "fail"
    assert found["ANA-03"][0]["subject"] == "arn:aws:s3:::notes"
    assert outcomes["ANA-01"] == "not-assessed"


def test_help_has_examples(audit):
    for args in ((), ("checks",), ("collect",), ("unused",)):
        assert "Examples:\n  bailiwick audit" in audit(*args, "--help", code=0).stdout


def seen(name, *calls):
    """Events of a trail: calls of IAM by a user."""
    return {"Records": [
        {
            "eventVersion": "1.09", "eventID": f"{name}-{number}", "eventTime": "2026-05-20T10:00:00Z",
            "eventSource": "iam.amazonaws.com", "eventName": call, "awsRegion": "us-east-1",
            "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2", "eventType": "AwsApiCall",
            "eventCategory": "Management", "recipientAccountId": ACCOUNT, "requestParameters": None,
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/{name}", "accountId": ACCOUNT,
                             "principalId": unique("AIDA", name), "userName": name},
        }
        for number, call in enumerate(calls)
    ]}


def test_M120_a_fix_has_all_forms_and_tells_what_it_breaks(audit):
    """Of the same finding: the change, the command, Terraform, and the observed calls that it would refuse."""
    work = {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}
    audit.write("audit/authorization-details.json", details(
        user("ann", UserPolicyList=[inline("both", ADMIN, work)]),
        user("bob", AttachedManagedPolicies=[attached("AdministratorAccess")]),
    ))
    audit.write("audit/events/a.json", seen("ann", "ListUsers", "ListRoles", "CreateUser"))
    audit.write("audit/events/b.json", seen("bob", "ListUsers"))
    found = audit.answer("fix", "audit", *AS_OF, "--check", "POL-03", "--check", "POL-02", code=1)["fixes"]
    by = {one["check"]: one for one in found}
    assert set(by) == {"POL-02", "POL-03"} and len(found) == 2
    ann = by["POL-03"]["fix"]
    assert json.loads(ann["document"])["Statement"] == [work]
    assert ann["commands"] == ["aws iam put-user-policy --user-name ann --policy-name both --policy-document file://policy.json"]
    assert ann["effect"]["sentence"] == "breaks 1 of 3 observed calls"
    assert [(one["event"], one["evidence"]["count"]) for one in ann["effect"]["calls"]] == [("iam:CreateUser", 1)]
    bob = by["POL-02"]["fix"]
    assert "document" not in bob and bob["effect"]["sentence"] == "breaks 1 of 1 observed calls"
    assert "terraform import aws_iam_user_policy_attachment.bob_AdministratorAccess" in bob["terraform"][0]
    # For people; without events the effect is not known, and says so.
    table = audit("fix", "audit", *AS_OF, "--finding", by["POL-03"]["id"], code=1).stdout
    assert "effect: breaks 1 of 3 observed calls of arn:aws:iam::123456789012:user/ann" in table
    alone = audit("fix", "audit/authorization-details.json", *AS_OF, "--finding", by["POL-03"]["id"], code=1).stdout
    assert "effect: not known without events" in alone
    text = audit("fix", "audit", *AS_OF, "--check", "POL-03", "--format", "terraform", code=1).stdout
    assert text.count('resource "aws_iam_user_policy" "ann_both"') == 1 and 'id = "ann:both"' in text
    lines = audit("fix", "audit", *AS_OF, "--check", "POL-02", "--format", "commands", code=1).stdout.splitlines()
    assert lines[1] == "aws iam detach-user-policy --user-name bob --policy-arn arn:aws:iam::aws:policy/AdministratorAccess"
    # What is not there.
    assert "no finding `0`" in audit("fix", "audit", *AS_OF, "--finding", "0", code=2).stderr
    assert "no check `POL-99`" in audit("fix", "audit", *AS_OF, "--check", "POL-99", code=2).stderr
    assert audit.answer("fix", "audit", *AS_OF, "--check", "POL-04", code=0)["fixes"] == []


def test_a_command_that_is_pasted_is_nothing_but_itself(audit):
    """Whoever may make a policy chooses its path, which may hold any printable character."""
    arn = f"arn:aws:iam::{ACCOUNT}:policy/;touch${{IFS}}pwned;'`touch${{IFS}}pwned`/idle"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
    account = details(user("ann"))
    account["Policies"] = [{
        "PolicyName": "idle", "PolicyId": unique("ANPA", "idle"), "Arn": arn, "Path": arn.split("policy")[1][:-4],
        "DefaultVersionId": "v1", "AttachmentCount": 0, "IsAttachable": True,
        "CreateDate": "2025-01-01T00:00:00Z", "UpdateDate": "2025-01-01T00:00:00Z",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "CreateDate": "2025-01-01T00:00:00Z", "Document": document}],
    }]
    audit.write("details.json", account)
    found = audit.answer("fix", "details.json", *AS_OF, "--check", "POL-07", code=1)["fixes"]
    (command,) = found[0]["fix"]["commands"]
    assert shlex.split(command) == ["aws", "iam", "delete-policy", "--policy-arn", arn]
    script = audit("fix", "details.json", *AS_OF, "--check", "POL-07", "--format", "commands", code=1).stdout
    done = subprocess.run(["sh", "-c", f"aws() {{ printf '%s\\n' \"$@\"; }}\n{script}"], cwd=audit.folder, capture_output=True, text=True)
    assert done.stdout.splitlines() == ["iam", "delete-policy", "--policy-arn", arn], done
    assert not (audit.folder / "pwned").exists()
