"""Rows on the first start, on regions, and on the trail."""

import json
import pathlib
import re
import stat
import subprocess

import process
from rows import ACCOUNT, row


@row("M25")
def first_administrator(t):
    """init makes an administrator with a one-time password and no root key"""
    folder = pathlib.Path(t.home, "data")

    def bailiwick(*words):
        t.say(f"$ bailiwick {' '.join(words)}")
        return subprocess.run([t.binary, *words, "--data-dir", str(folder)], env=process.clean_environment(),
                              capture_output=True, text=True, timeout=60)

    done = bailiwick("init", "--account-id", ACCOUNT)
    t.equal(done.returncode, 0, "exit code")
    text = (folder / "credentials").read_text()
    t.equal(f"{stat.S_IMODE((folder / 'credentials').stat().st_mode):o}", "600", "mode of the credentials")
    secret = re.search(r"aws_secret_access_key = (\S+)", text).group(1)
    password = re.search(r"assword: (\S+)", text).group(1)
    t.check(secret not in done.stdout + done.stderr and password not in done.stdout + done.stderr, "no secret is printed")
    t.equal(bailiwick("init").returncode, 0, "a second init")
    t.check((folder / "credentials").read_text() == text, "it changes nothing")
    other = pathlib.Path(t.home, "second")
    subprocess.run([t.binary, "init", "--data-dir", str(other)], env=process.clean_environment(), capture_output=True, check=True)
    t.check(secret not in (other / "credentials").read_text(), "another server has another secret")

    t.server = process.Server(t.binary, data_dir=folder)
    t.servers.append(t.server)
    t.server.start()
    t.url, t.admin = t.server.url, t.server.key()
    printed = bailiwick("env").stdout
    t.check(f"AWS_ENDPOINT_URL='{t.url}'" in printed, "env points at the server")
    t.equal(t.works("sts", "get-caller-identity")["Arn"], f"arn:aws:iam::{ACCOUNT}:user/admin", "who that is")
    t.equal(t.works("iam", "get-account-summary")["SummaryMap"]["AccountAccessKeysPresent"], 0, "root keys")
    t.check(t.works("iam", "get-login-profile", "--user-name", "admin")["LoginProfile"]["PasswordResetRequired"], "the password is for one sign-in")
    done = bailiwick("root", "create-key")
    t.equal(t.works("iam", "get-account-summary")["SummaryMap"]["AccountAccessKeysPresent"], 1, "root keys")
    t.check("warning" in (done.stdout + done.stderr).lower(), "making a root key warns", found=done.stdout + done.stderr)


@row("M133")
def no_regions(t):
    """what is made by way of one region is decided by way of another"""
    t.serve()
    t.works("iam", "create-user", "--user-name", "alice", region="us-east-1")
    made = process.Key.of(t.works("iam", "create-access-key", "--user-name", "alice", region="us-east-1")["AccessKey"])
    t.works("iam", "get-user", "--user-name", "alice", region="eu-west-1")
    t.fails("AccessDenied", "iam", "list-users", key=made, region="eu-west-1")
    policy = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*",
              "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}}}
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "p", "--policy-document", json.dumps(policy),
            region="ap-southeast-2")
    # Global services count as us-east-1, whatever the client signed for.
    for region in ("us-east-1", "eu-west-1", "ap-southeast-2"):
        t.works("iam", "list-users", key=made, region=region)
    t.equal({event["awsRegion"] for event in t.events("--event-name", "ListUsers")}, {"us-east-1"}, "the region in the trail")


@row("M139")
def three_records(t):
    """authentication, authorization and accounting under one request id"""
    t.serve()
    key = t.user("alice", {"Version": "2012-10-17", "Statement": {
        "Sid": "Lists", "Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}})
    for words, verdict, code in ((["iam", "list-users"], "allowed", None), (["iam", "list-roles"], "implicitDeny", "AccessDenied")):
        done = t.aws(*words, "--debug", key=key)
        t.equal(done.code, code, "the outcome")
        request_id = re.search(r"x-amzn-requestid['\"]?: b?['\"]([0-9a-f-]{36})", done.err, re.IGNORECASE).group(1)
        found = [event for event in t.events() if event["requestID"] == request_id]
        t.equal(len(found), 1, "events of the request")
        event = found[0]
        t.equal((event["userIdentity"]["userName"], event["userIdentity"]["accessKeyId"]), ("alice", key.id), "authentication")
        t.equal(event.get("errorCode"), code, "accounting")
        decision = event["additionalEventData"]["decisionId"]
        shown = t.bailiwick("why", request_id, "--format", "json").stdout
        t.check(verdict in shown and "alice" in shown, f"authorization: {verdict}", found=shown)
        by_decision = t.bailiwick("why", decision, "--format", "json").stdout
        t.check(json.loads(by_decision) == json.loads(shown), "the same by the decision's id")
        if code:
            t.check(decision in done.err, "the denial names its decision")
        else:
            t.check("Lists" in shown, "the statement that allowed is named")
