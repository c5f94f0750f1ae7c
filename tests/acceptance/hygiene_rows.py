"""Rows on rotation and hygiene: what our own command line does beside `aws`."""

import configparser
import datetime
import json
import pathlib
import time

import process
import signin
from rows import ACCOUNT, FIXTURE_KEY, row

DAY = 86400


def tool(t, *words, key=None, code=0):
    """Runs our command line with a key, and checks its exit code."""
    t.say("$ bailiwick " + " ".join(words))
    environment = (key or t.admin).environment() | {"AWS_ENDPOINT_URL": t.url}
    environment["PATH"] = f"{pathlib.Path(t.cli.path).parent}:/usr/bin:/bin"
    done = t.server.run(*words, check=False, environment=environment)
    t.check(done.returncode == code, f"exit code {code}", found=f"{done.returncode} {done.stderr}", quiet=True)
    return done


def data(t, *words, **more):
    """The same, and its answer as data."""
    return json.loads(tool(t, *words, "--format", "json", **more).stdout)


def allow(*actions, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def keys(t, user):
    found = t.works("iam", "list-access-keys", "--user-name", user)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in found}


@row("M13")
def lock_out(t):
    """policies that lock out users who must change their password are told, with AWS's fuller list"""
    t.serve()
    listed = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices",
              "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"]
    policy = {"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "NotAction": listed, "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}}
    file = pathlib.Path(t.home, "force-mfa.json")
    file.write_text(json.dumps(policy))
    found = data(t, "policy", "lint", str(file), code=1)["findings"]
    t.equal([one["code"] for one in found], ["password-lock-out"], "the warning")
    fuller = json.loads(found[0]["fix"].split(": ", 1)[1])
    t.check({"iam:ChangePassword", "iam:GetAccountPasswordPolicy", *listed} <= set(fuller), "the fuller list")
    # It is true: who must change the password cannot, and with the list can.
    t.user("alice", allow("*"), policy)
    t.works("iam", "create-login-profile", "--user-name", "alice", "--password", "Abc-123-def-456", "--password-reset-required")
    live = data(t, "policy", "lint", "--live", code=1)["findings"]
    t.check(any(one["place"].endswith("user/alice") for one in live), "alice is told as locked out")
    policy["Statement"]["NotAction"] = fuller
    file.write_text(json.dumps(policy))
    t.equal(data(t, "policy", "lint", str(file))["findings"], [], "with the list there is nothing to say")
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "p1", "--policy-document", file.read_text())
    t.equal(data(t, "policy", "lint", "--live")["findings"], [], "and nobody is locked out")


@row("M19")
def time_of_day(t):
    """calls within 09:00 to 17:00 of a time zone alone"""
    t.serve("--time-zone", "Europe/Berlin", dev=True)
    window = {"NumericGreaterThanEquals": {"bailiwick:TimeOfDay": "090000"},
              "NumericLessThanEquals": {"bailiwick:TimeOfDay": "170000"}}
    key = t.user("clerk", allow("iam:ListUsers", **window))
    # A day in winter and one in summer: the clock on the wall is what counts.
    for day, hours in (("2026-01-15", 1), ("2026-07-15", 2)):
        for clock, allowed in (("08:59:00", False), ("09:00:00", True), ("12:00:00", True), ("16:59:30", True),
                               ("17:00:01", False), ("23:00:00", False)):
            local = datetime.datetime.fromisoformat(f"{day}T{clock}+00:00") - datetime.timedelta(hours=hours)
            t.server.set_clock(now=local.strftime("%Y-%m-%dT%H:%M:%SZ"))
            t.say(f"it is {day} {clock} in Berlin")
            if allowed:
                t.works("iam", "list-users", key=key)
            else:
                t.fails("AccessDenied", "iam", "list-users", key=key)
    file = pathlib.Path(t.home, "hours.json")
    file.write_text(json.dumps(allow("iam:ListUsers", **window)))
    found = data(t, "policy", "lint", str(file))["findings"]
    t.check(len(found) == 2 and all("not portable to AWS" in one["message"] for one in found), "an extension, not portable")


@row("M27")
def groups_by_job(t):
    """groups for admins, developers and finance"""
    t.serve()
    would = data(t, "quickstart", "groups", "--dry-run")["made"]
    t.equal(t.works("iam", "list-groups")["Groups"], [], "a dry run makes nothing")
    t.equal(data(t, "quickstart", "groups")["made"], would, "what it makes")
    t.equal(data(t, "quickstart", "groups")["made"], [], "a second time")
    key = t.user("dora")
    t.works("iam", "add-user-to-group", "--group-name", "developers", "--user-name", "dora")
    for command in ("list-users", "list-roles", "get-account-summary"):
        t.fails("AccessDenied", "iam", command, key=key)
    t.fails("AccessDenied", "iam", "create-user", "--user-name", "x", key=key)
    told = t.works("iam", "simulate-principal-policy", "--policy-source-arn", f"arn:aws:iam::{ACCOUNT}:user/dora",
                   "--action-names", "iam:PassRole", "s3:CreateBucket", "ec2:RunInstances")["EvaluationResults"]
    t.equal([one["EvalDecision"] for one in told], ["implicitDeny", "allowed", "allowed"], "a developer's rights")
    key = t.user("ada")
    t.works("iam", "add-user-to-group", "--group-name", "admins", "--user-name", "ada")
    t.works("iam", "list-users", key=key)


@row("M29")
def no_policies_of_users(t):
    """policies of users move to a group, with the same decisions"""
    t.serve()
    key = t.user("alice", allow("iam:ListUsers"))
    t.works("iam", "attach-user-policy", "--user-name", "alice", "--policy-arn", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    told = data(t, "policy", "to-group", code=1)
    t.equal(told["check"], "iam-user-no-policies", "the check")
    found = {user["user"]: user for user in told["users"]}
    t.equal((found["alice"]["inline"], len(found["alice"]["attached"])), (["p0"], 1), "inline and attached")
    told = data(t, "policy", "to-group", "--user-name", "alice", "--group-name", "writers")
    t.check(told["sameDecisions"] and told["requests"] > 10, f"the same decisions on {told['requests']} requests")
    t.works("iam", "list-users", key=key)
    t.fails("AccessDenied", "iam", "list-roles", key=key)
    t.equal(t.works("iam", "list-user-policies", "--user-name", "alice")["PolicyNames"], [], "none are left")
    found = {user["user"] for user in data(t, "policy", "to-group", code=1)["users"]}
    t.check("alice" not in found, "alice has none of her own")


@row("M33")
def key_age(t):
    """access keys end at an age: announced, then inactive, once"""
    t.serve(dev=True)
    t.quietly("TagUser", UserName="admin", **{"Tags.member.1.Key": "exempt", "Tags.member.1.Value": "yes"})
    key = t.user("alice")

    def told():
        return [event["eventName"] for event in t.events()[::-1] if event["eventName"].startswith("BailiwickKey")]

    t.server.set_clock(advance_seconds=1)
    t.say("set the limit of 90 days, announced 14 days before")
    t.server._switch("key-policy", {"max_age": "90d", "warn": "14d", "exempt_tags": ["exempt"]})
    t.server.set_clock(advance_seconds=75 * DAY)
    t.equal(told(), [], "day 75")
    t.server.set_clock(advance_seconds=DAY)
    t.equal(told(), ["BailiwickKeyExpiring"], "day 76")
    t.works("sts", "get-caller-identity", key=key)
    t.server.set_clock(advance_seconds=15 * DAY)
    t.equal(sorted(told()), ["BailiwickKeyExpired", "BailiwickKeyExpiring"], "day 91")
    t.equal(keys(t, "alice"), {key.id: "Inactive"}, "the key")
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=key)
    t.server.set_clock(advance_seconds=30 * DAY)
    t.equal(len(told()), 2, "once each")
    # The operator's verb, on a server that keeps its state.
    t.serve()
    t.equal(json.loads(t.bailiwick("admin", "key-policy", "show", "--format", "json").stdout)["key_policy"], "none", "off by default")
    t.bailiwick("admin", "key-policy", "set", "--max-age", "90d", "--warn", "14d")
    t.equal(json.loads(t.bailiwick("admin", "key-policy", "show", "--format", "json").stdout)["max_age"], "90d", "set")


@row("M34")
def rotation(t):
    """keys rotate: create, test, switch, wait for no use, deactivate, delete"""
    t.serve(fixture="F1")
    store = pathlib.Path(t.home, "app.credentials")
    old = t.fixture_key
    store.write_text(f"[default]\naws_access_key_id = {old.id}\naws_secret_access_key = {old.secret}\n")
    store.chmod(0o600)
    # Older versions of the CLI do not read the variable.
    probe = "aws sts get-caller-identity" + ("" if t.cli.reads_endpoint else " --endpoint-url $AWS_ENDPOINT_URL")
    words = ["keys", "rotate", "--user-name", "service-account", "--test", probe,
             "--store", f"file:{store}", "--quiet-for", "3s", "--wait", "1s", "--grace", "0s"]
    # While the old key is used it stops, and both work.
    t.works("sts", "get-caller-identity", key=old)
    stopped = tool(t, *words, code=1)
    found = configparser.RawConfigParser()
    found.read(store)
    new = process.Key(found["default"]["aws_access_key_id"], found["default"]["aws_secret_access_key"])
    t.works("sts", "get-caller-identity", key=old)
    stopped = tool(t, *words, code=1)
    t.check(f"the old key {FIXTURE_KEY} is still used" in stopped.stderr, "it stops with the last use")
    t.equal(keys(t, "service-account"), {old.id: "Active", new.id: "Active"}, "the keys")
    t.works("sts", "get-caller-identity", key=new)
    time.sleep(3.1)
    tool(t, *words)
    t.equal(keys(t, "service-account"), {new.id: "Active"}, "in the end")
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=old)
    names = [event["eventName"] for event in t.events()[::-1] if event["eventName"].endswith("AccessKey")]
    t.check({"CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey"} <= set(names), "each step is in the trail")
    # A test that fails switches nothing.
    failed = [word.replace("sts get-caller-identity", "iam list-users") for word in words]
    tool(t, *failed, code=1)
    t.equal(keys(t, "service-account"), {new.id: "Active"}, "after a failed test")
    t.nobody("iam", "create-access-key", "--user-name", "service-account")


@row("M37")
def unused(t):
    """what nobody uses is listed by last use, deactivated, and deleted after a grace"""
    t.serve()
    never, used = t.user("never"), t.user("used")
    t.works("sts", "get-caller-identity", key=used)
    t.works("iam", "create-login-profile", "--user-name", "never", "--password", "Abc-123-def-456")
    t.works("iam", "create-group", "--group-name", "empty")
    arn = t.works("iam", "create-policy", "--policy-name", "loose", "--policy-document", json.dumps(allow("s3:*")))["Policy.Arn"]
    trust = {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}}
    t.works("iam", "create-role", "--role-name", "idle", "--assume-role-policy-document", json.dumps(trust))
    now = {(one["kind"], one["name"]) for one in data(t, "audit", "unused", "--older-than", "90d", code=1)["unused"]}
    t.equal(now, {("policy", arn), ("group", "empty")}, "today")
    words = ["audit", "unused", "--older-than", "90d", "--as-of"]

    def later(days):
        return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")

    found = {(one["kind"], one["name"]): one for one in data(t, *words, later(91), code=1)["unused"]}
    t.check({("password", "never"), ("access-key", never.id), ("access-key", used.id), ("role", "idle")} <= set(found), "in 91 days")
    t.check(found["access-key", never.id]["lastUsed"] is None and found["access-key", used.id]["lastUsed"], "by last use")
    # The key that calls is old by then, too: it stays.
    t.quietly("TagUser", UserName="admin", **{
        "Tags.member.1.Key": f"bailiwick:unused/{t.admin.id}", "Tags.member.1.Value": later(91)})
    done = {(one["kind"], one["name"]): one.get("done") for one in
            data(t, *words, later(91), "--apply", "--grace", "30d")["unused"]}
    t.equal((done["access-key", never.id], done["role", "idle"], done["policy", arn]), ("deactivated", "deactivated", "marked"), "first")
    t.equal(keys(t, "never"), {never.id: "Inactive"}, "the key")
    t.quietly("TagUser", UserName="admin", **{
        "Tags.member.1.Key": f"bailiwick:unused/{t.admin.id}", "Tags.member.1.Value": later(125)})
    tool(t, *words, later(125), "--apply", "--grace", "30d")
    t.equal(keys(t, "never"), {}, "after the grace")
    t.fails("NoSuchEntity", "iam", "get-role", "--role-name", "idle")
    t.fails("NoSuchEntity", "iam", "get-policy", "--policy-arn", arn)
    t.fails("NoSuchEntity", "iam", "get-login-profile", "--user-name", "never")


@row("M39")
def leaver(t):
    """a leaver's password, keys, sessions and credentials end, and come back"""
    t.serve()
    alice = t.user("alice", allow("*"))
    arn = f"arn:aws:iam::{ACCOUNT}:user/alice"
    t.works("iam", "create-login-profile", "--user-name", "alice", "--password", "Abc-123-def-456")
    trust = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn}}}
    t.works("iam", "create-role", "--role-name", "shared", "--assume-role-policy-document", json.dumps(trust))
    t.works("iam", "put-role-policy", "--role-name", "shared", "--policy-name", "all", "--policy-document", json.dumps(allow("*")))
    t.works("iam", "create-service-specific-credential", "--user-name", "alice", "--service-name", "codecommit.amazonaws.com")
    role = f"arn:aws:iam::{ACCOUNT}:role/shared"
    assumed = process.Key.of(t.works("sts", "assume-role", "--role-arn", role, "--role-session-name", "hers", key=alice)["Credentials"])
    token = process.Key.of(t.works("sts", "get-session-token", key=alice)["Credentials"])
    console = signin.Browser(t.url, t.ca_bundle).password(ACCOUNT, "alice", "Abc-123-def-456").key
    t.works("iam", "list-users", key=console)
    t.works("iam", "list-users", key=assumed)
    record = pathlib.Path(t.home, "alice.json")
    told = data(t, "offboard", "alice", "--record", str(record))
    t.equal(told["owned"]["rolesThatTrustHer"], ["shared"], "whose trust names her")
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=alice)
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=token)
    t.fails("AccessDenied", "iam", "list-users", key=assumed)
    t.fails("NoSuchEntity", "iam", "get-login-profile", "--user-name", "alice")
    t.fails("InvalidClientTokenId", "iam", "list-users", key=console)
    page = signin.Browser(t.url, t.ca_bundle).password(ACCOUNT, "alice", "Abc-123-def-456")
    t.equal(page.told, "InvalidCredentials", "the sign-in")
    tool(t, "offboard", "alice", "--undo", str(record))
    t.works("iam", "list-users", key=alice)
    t.works("iam", "list-users", key=assumed)
    tool(t, "offboard", "alice", "--record", str(record) + ".2")
    tool(t, "offboard", "alice", "--delete")
    t.fails("NoSuchEntity", "iam", "get-user", "--user-name", "alice")


@row("M40")
def console_users_key(t):
    """keys never used of users with a used password, with the command that deactivates them"""
    t.serve()
    for name in ("alice", "bob"):
        key = t.user(name)
        t.works("iam", "create-login-profile", "--user-name", name, "--password", "Abc-123-def-456")
        t.equal(signin.Browser(t.url, t.ca_bundle).password(ACCOUNT, name, "Abc-123-def-456").told, "signed-in", f"{name} signs in")
        if name == "alice":
            alices = key
    t.works("sts", "get-caller-identity", key=key)
    found = [one for one in data(t, "audit", "unused", code=1)["unused"] if one["kind"] == "console-user-key"]
    t.equal([(one["user"], one["name"]) for one in found], [("alice", alices.id)], "the key that was never used, and not bob's")
    t.works(found[0]["command"])
    t.equal(keys(t, "alice"), {alices.id: "Inactive"}, "after the command")
    found = {one["kind"] for one in data(t, "audit", "unused", code=0)["unused"]}
    t.check("console-user-key" not in found, "nothing is left")


@row("M41")
def shared_keys(t):
    """a key used from several networks at once, and keys left in files"""
    t.serve("--trusted-proxy", "127.0.0.1/32")
    key = t.user("ci")
    tree = pathlib.Path(t.home, "src")
    tree.mkdir()
    (tree / "settings.py").write_text(f"key = '{key.id}'\nsecret = '{key.secret}'\n")
    found = data(t, "scan", str(tree), "--keys", "--check", code=1)
    t.check(key.secret not in json.dumps(found), "the secret is masked")
    t.equal([(one["kind"], one["line"], one["column"]) for one in found["findings"]], [("long-term", 1, 8), ("secret", 2, 11)], "places")
    t.equal(found["findings"][0]["server"]["status"], "Active", "the server knows it")
    t.works("iam", "delete-access-key", "--user-name", "ci", "--access-key-id", key.id)
    found = data(t, "scan", str(tree), "--keys", "--check", code=1)
    t.check(not found["findings"][0]["server"]["exists"], "and when it is gone")
    key = t.user("shared")
    for address in ("192.0.2.7", "198.51.100.9"):
        t.say(f"GetCallerIdentity from {address}")
        t.check(t.wire(key).call("sts", "GetCallerIdentity", headers={"x-forwarded-for": address}).status == 200, "a call")
    found = data(t, "audit", "shared-keys", "--agents", "9", code=1)["sharedKeys"]
    t.equal([(one["accessKeyId"], one["networks"]) for one in found], [(key.id, ["192.0.2.0/24", "198.51.100.0/24"])], "the key")


@row("M43")
def third_party(t):
    """a user for a program of others: no console, one bucket, one network, a date of rotation"""
    t.serve()
    tool(t, "quickstart", "third-party", "--name", "wordpress", "--bucket", "wordpress-media", "--source-ip", "203.0.113.0/24")
    tags = t.works("iam", "list-user-tags", "--user-name", "wordpress")["Tags"]
    t.check(any(tag["Key"] == "rotate-by" for tag in tags), "a date of rotation")
    t.fails("NoSuchEntity", "iam", "get-login-profile", "--user-name", "wordpress")
    for address, bucket, expected in (("203.0.113.9", "wordpress-media", "allowed"), ("198.51.100.9", "wordpress-media", "implicitDeny"),
                                      ("203.0.113.9", "other", "implicitDeny")):
        told = t.works("iam", "simulate-principal-policy", "--policy-source-arn", f"arn:aws:iam::{ACCOUNT}:user/wordpress",
                       "--action-names", "s3:PutObject", "--resource-arns", f"arn:aws:s3:::{bucket}/a", "--context-entries",
                       f"ContextKeyName=aws:SourceIp,ContextKeyType=ip,ContextKeyValues={address}",
                       "ContextKeyName=aws:SecureTransport,ContextKeyType=boolean,ContextKeyValues=true")
        t.equal(told["EvaluationResults.0.EvalDecision"], expected, f"{bucket} from {address}")


@row("M76")
def converted(t):
    """an inline policy becomes a managed one with the same decisions, and back"""
    t.serve()
    key = t.user("alice", allow("iam:ListUsers"), allow("s3:Get*", resource="arn:aws:s3:::homes/${aws:username}/*"))
    words = ["policy", "convert-inline", "--user-name", "alice", "--policy-name", "p0"]
    told = data(t, *words)
    t.check(told["sameDecisions"] and told["requests"] > 10, f"the same decisions on {told['requests']} requests")
    t.equal(t.works("iam", "list-user-policies", "--user-name", "alice")["PolicyNames"], ["p1"], "the inline policies")
    t.equal(t.works("iam", "list-attached-user-policies", "--user-name", "alice")["AttachedPolicies.0.PolicyArn"],
            f"arn:aws:iam::{ACCOUNT}:policy/p0", "the managed one")
    t.works("iam", "list-users", key=key)
    t.check(data(t, *words, "--undo")["sameDecisions"], "the same decisions after the way back")
    t.equal(t.works("iam", "list-user-policies", "--user-name", "alice")["PolicyNames"], ["p0", "p1"], "as before")
    t.fails("NoSuchEntity", "iam", "get-policy", "--policy-arn", f"arn:aws:iam::{ACCOUNT}:policy/p0")
