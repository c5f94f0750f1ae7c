"""Rows on whole accounts at once: every policy validated, suites with checks, the checks counted."""

import json
import pathlib
import subprocess
import xml.etree.ElementTree as xml

import process
from hygiene_rows import allow, tool
from rows import ACCOUNT, MEMBER, row


def write(t, name, content):
    """A file in the home of the row."""
    path = pathlib.Path(t.home, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return str(path)


def offline(t, *words, code=0):
    """Runs our command line without a server, and checks its exit code."""
    t.say("$ bailiwick " + " ".join(words))
    done = subprocess.run([t.binary, *words], capture_output=True, text=True, timeout=120, cwd=t.home, env=process.clean_environment())
    t.check(done.returncode == code, f"exit code {code}", found=f"{done.returncode} {done.stderr[-400:]}", quiet=True)
    return done


@row("M90")
def every_policy(t):
    """all policies of all accounts are validated, whichever was edited last"""
    t.serve()
    t.user("early", allow("s3:GetObjekt"))
    # Thirty right ones after it, of every kind.
    for number in range(10):
        t.user(f"u{number}", allow("s3:GetObject", resource=f"arn:aws:s3:::b{number}/*"))
    trust = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/early"}}}
    for number in range(10):
        t.quietly("CreateRole", RoleName=f"r{number}", AssumeRolePolicyDocument=json.dumps(trust))
        t.quietly("CreatePolicy", PolicyName=f"p{number}", PolicyDocument=json.dumps(allow("sqs:SendMessage")))
    said = json.loads(tool(t, "audit", "validate", "--all", "--format", "json", code=1).stdout)
    (account,) = said["accounts"]
    t.equal(account["account"], ACCOUNT, "the account")
    t.check(account["holdings"]["trust policy"] == 10 and account["holdings"]["managed policy"] == 10, "trust and managed policies are among them")
    errors = [(one["owner"], one["finding"]["issueCode"]) for one in account["findings"] if one["finding"]["findingType"] == "ERROR"]
    t.equal(errors, [(f"arn:aws:iam::{ACCOUNT}:user/early", "INVALID_ACTION")], "the one error, of the first that was written")
    # The same by the AWS CLI: what the account holds, and what its analyzer says of the text.
    page = t.works("iam", "get-account-authorization-details")
    inline = sum(len(user.get("UserPolicyList", [])) for user in page["UserDetailList"])
    t.equal(account["holdings"]["inline policy of a user"], inline, "as many inline policies as the AWS CLI shows")
    text = json.dumps(allow("s3:GetObjekt"))
    live = t.works("accessanalyzer", "validate-policy", "--policy-type", "IDENTITY_POLICY", "--policy-document", text)["findings"]
    t.check("INVALID_ACTION" in [one["issueCode"] for one in live], "validate-policy says the same of the text")
    # All accounts: this one's folder, and another's.
    tool(t, "audit", "collect", "--run", str(pathlib.Path(t.home, "one")))
    other = {"UserDetailList": [{
        "Path": "/", "UserName": "carol", "UserId": "AIDACCCCCCCCCCCCCCCCC", "Arn": f"arn:aws:iam::{MEMBER}:user/carol",
        "CreateDate": "2026-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": [],
        "UserPolicyList": [{"PolicyName": "p", "PolicyDocument": allow("sns:Publish")}]}],
        "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    write(t, "two/authorization-details.json", other)
    table = offline(t, "audit", "validate", "--all", "one", "two", code=1).stdout
    t.check(f"account {ACCOUNT} (one)" in table and f"account {MEMBER} (two)" in table, "the report goes by account")
    # Mended, nothing grave is left.
    t.works("iam", "put-user-policy", "--user-name", "early", "--policy-name", "p0", "--policy-document", json.dumps(allow("s3:GetObject", resource="arn:aws:s3:::b/*")))
    tool(t, "audit", "validate", "--all")


@row("M91")
def suites(t):
    """expectations and checks of a suite decide over a deployment, by meaning"""
    write(t, "main.json", allow("s3:Get*"))
    write(t, "branch.json", allow("s3:Get*", "s3:GetObject"))
    write(t, "bucket.json", {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}})
    suite = write(t, "suite.yaml", f"""\
policies: {{branch: branch.json}}
principals:
  alice: {{arn: 'arn:aws:iam::{ACCOUNT}:user/alice', policies: branch}}
tests:
  - {{name: reads, principal: alice, action: 's3:GetObject', resource: 'arn:aws:s3:::b/k', expect: allow}}
  - {{name: writes not, principal: alice, action: 's3:PutObject', resource: 'arn:aws:s3:::b/k', expect: deny}}
checks:
  - name: no more than main
    no-new-access: {{existing: main.json, new: branch}}
  - name: no deleting
    access-not-granted: {{policy: branch, actions: ['s3:Delete*']}}
  - name: the public bucket is known
    no-public-access: {{policy: bucket.json, resource-type: 'AWS::S3::Bucket'}}
    expect: fail
""")
    offline(t, "policy", "test", suite)
    t.say("  ok: another text of the same meaning passes")
    write(t, "branch.json", allow("s3:Get*", "s3:PutObject"))
    found = xml.fromstring(offline(t, "policy", "test", suite, "--format", "junit", code=1).stdout)
    failed = [case.get("classname") for case in found.iter("testcase") if case.find("failure") is not None]
    t.equal(failed, ["writes not", "no more than main"], "JUnit tells the two that fail")
    sarif = json.loads(offline(t, "policy", "test", suite, "--format", "sarif", code=1).stdout)
    t.equal(sorted(one["ruleId"] for one in sarif["runs"][0]["results"]), ["expectation", "no-new-access"], "SARIF tells them too")
    # Too tight is a failure as well.
    write(t, "branch.json", allow("s3:GetBucketPolicy"))
    tight = offline(t, "policy", "test", suite, code=1).stdout
    t.check("FAILED  reads" in tight, "a policy that is too tight fails")
    # The single checks say the same.
    write(t, "branch.json", allow("s3:Get*", "s3:PutObject"))
    offline(t, "check", "no-new-access", "--existing", "main.json", "--new", "branch.json", code=1)
    offline(t, "check", "access-not-granted", "--policy", "branch.json", "--action", "s3:Delete*")
    offline(t, "check", "no-public-access", "--policy", "bucket.json", "--resource-type", "AWS::S3::Bucket", code=1)
    t.serve()
    alice = t.user("alice", allow("s3:Get*", "s3:PutObject"))
    simulated = t.works("iam", "simulate-principal-policy", "--policy-source-arn", f"arn:aws:iam::{ACCOUNT}:user/alice",
                        "--action-names", "s3:PutObject", "--resource-arns", "arn:aws:s3:::b/k")
    t.equal(simulated["EvaluationResults"][0]["EvalDecision"], "allowed", "and the simulator of the server, that the new access is there")
    t.check(alice.id.startswith("AKIA"), "the user is there", quiet=True)


@row("M109")
def checks_counted(t):
    """the checks of an audit, as far as identity, trail and organization go"""
    told = json.loads(offline(t, "audit", "checks", "--count", "--format", "json").stdout)
    table = offline(t, "audit", "checks", "--count").stdout
    t.check(table.startswith(f"{told['checks']} checks, {told['built']} of them built"), f"{table.strip()}")
    t.equal(told["checks"], 158, "checks of identity, trail and organization (the table's 241 count other services' too)")
    t.equal(told["built"], told["checks"], "checks that are built")
    listed = json.loads(offline(t, "audit", "checks", "--format", "json").stdout)
    ids = [one["check"]["id"] for one in listed]
    t.equal(len(set(ids)), told["checks"], "each has an id of its own")
    t.check(all(one["built"] or one["why"] for one in listed), "what is not built says why")
    # They are asked, and each answers: an empty account passes nothing for want of data.
    write(t, "empty/collected.json", {"account": ACCOUNT})
    answered = json.loads(offline(t, "audit", "empty", "--format", "json").stdout)["checks"]
    t.equal({one["outcome"] for one in answered}, {"not-assessed"}, "without data no check passes")
    t.equal(len(answered), told["checks"], "and each answers")
