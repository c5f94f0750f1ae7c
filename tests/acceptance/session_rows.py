"""Rows on roles that are assumed, within an account and across two."""

import datetime
import json
import time

import process
from rows import ACCOUNT, MEMBER, row
from signing import Wire

EXTERNAL = """{
"Version": "2012-10-17",
"Statement": [
{
"Effect": "Allow",
"Principal": {
"AWS": "arn:aws:iam::EXTERNAL-ACCOUNT-ID:root"
},
"Action": "sts:AssumeRole",
"Condition": {
"StringEquals": {
"sts:ExternalId": "unique-external-id-here"
}
}
}
]
}"""


def allow(*actions, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return {"Version": "2012-10-17", "Statement": statement | ({"Condition": condition} if condition else {})}


def trust(account=ACCOUNT, *actions):
    return json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": list(actions) or "sts:AssumeRole"}})


def assume(role, session="me", account=ACCOUNT, *more):
    return ["sts", "assume-role", "--role-arn", f"arn:aws:iam::{account}:role/{role}", "--role-session-name", session, *more]


def key_of(done):
    return process.Key.of(done["Credentials"])


@row("M16")
def external_id(t):
    """cross-account trust with an external id"""
    t.serve()
    outside = t.server.create_account(MEMBER)
    create = ["iam", "create-role", "--role-name", "vendor", "--assume-role-policy-document"]
    t.nobody(*create, EXTERNAL)
    t.fails("MalformedPolicyDocument", *create, EXTERNAL, text="Invalid principal in policy")
    t.works(*create, EXTERNAL.replace("EXTERNAL-ACCOUNT-ID", MEMBER))
    t.quietly("PutRolePolicy", RoleName="vendor", PolicyName="p", PolicyDocument=json.dumps(allow("iam:ListUsers")))
    right = t.works(*assume("vendor"), "--external-id", "unique-external-id-here", key=outside)
    t.works("iam", "list-users", key=key_of(right))
    t.fails("AccessDenied", *assume("vendor"), key=outside)
    t.fails("AccessDenied", *assume("vendor"), "--external-id", "some-other-id", key=outside)
    # The caller's side counts too.
    wire = Wire(t.url, outside)
    wire.call("iam", "CreateUser", UserName="bob")
    made = wire.call("iam", "CreateAccessKey", UserName="bob")
    bob = process.Key(made.find("AccessKeyId"), made.find("SecretAccessKey"))
    t.fails("AccessDenied", *assume("vendor"), "--external-id", "unique-external-id-here", key=bob)
    wire.call("iam", "PutUserPolicy", UserName="bob", PolicyName="p", PolicyDocument=json.dumps(
        allow("sts:AssumeRole", resource=f"arn:aws:iam::{ACCOUNT}:role/vendor")))
    t.works(*assume("vendor"), "--external-id", "unique-external-id-here", key=bob)
    # Nobody of the own account is named in the trust policy.
    t.fails("AccessDenied", *assume("vendor"), "--external-id", "unique-external-id-here")


@row("M50")
def across_accounts(t):
    """a role of another account: both sides, trust edits at once, sessions revoked"""
    t.serve()
    member = t.server.create_account(MEMBER)
    owner = Wire(t.url, member)
    owner.call("iam", "CreateRole", RoleName="Audit", AssumeRolePolicyDocument=trust(ACCOUNT))
    owner.call("iam", "PutRolePolicy", RoleName="Audit", PolicyName="p", PolicyDocument=json.dumps(allow("iam:List*")))
    command = f"aws sts assume-role --role-arn arn:aws:iam::{MEMBER}:role/Audit --role-session-name a1"
    alice, bob = t.user("alice", allow("sts:AssumeRole")), t.user("bob")
    t.fails("AccessDenied", command, key=bob)
    first = key_of(t.works(command, key=alice))
    t.equal(t.works("sts", "get-caller-identity", key=first)["Arn"],
            f"arn:aws:sts::{MEMBER}:assumed-role/Audit/a1", "who that is")
    t.equal([user["UserName"] for user in t.works("iam", "list-users", key=first)["Users"]], ["admin"], "the other account's users")
    t.fails("AccessDenied", "iam", "create-user", "--user-name", "x", key=first)
    t.works("iam", "update-assume-role-policy", "--role-name", "Audit", "--policy-document", trust(MEMBER), key=member)
    t.fails("AccessDenied", command, key=alice)
    t.works("iam", "list-users", key=first)
    t.works("iam", "update-assume-role-policy", "--role-name", "Audit", "--policy-document", trust(ACCOUNT), key=member)
    # What the console calls "revoke active sessions".
    instant = int(time.time()) + 1
    revoke = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
        "DateLessThan": {"aws:TokenIssueTime": datetime.datetime.fromtimestamp(instant, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")}}}}
    t.works("iam", "put-role-policy", "--role-name", "Audit", "--policy-name", "AWSRevokeOlderSessions",
            "--policy-document", json.dumps(revoke), key=member)
    t.fails("AccessDenied", "iam", "list-users", key=first, text="with an explicit deny")
    process.wait_for(lambda: time.time() > instant, "the next second")
    t.works("iam", "list-users", key=key_of(t.works(command, key=alice)))
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "stop", "--policy-document",
            json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "sts:*", "Resource": "*"}}))
    t.fails("AccessDenied", command, key=alice)
    trail = t.events("--event-name", "AssumeRole", key=member)
    t.check(any("errorCode" not in event for event in trail), "the owner's trail has it too")


@row("M52")
def within_an_account(t):
    """session policies, tags, transitive tags, chaining"""
    t.serve()
    every = trust(ACCOUNT, "sts:AssumeRole", "sts:TagSession")
    for name, policy in (
        ("first", {"Version": "2012-10-17", "Statement": [
            allow("sts:AssumeRole", "sts:TagSession", "iam:ListGroups")["Statement"],
            allow("iam:ListUsers", StringEquals={"aws:PrincipalTag/Team": "blue"})["Statement"]]}),
        ("second", allow("iam:ListUsers", StringEquals={"aws:PrincipalTag/Team": "blue"})),
        ("third", allow("iam:ListRoles", "iam:ListUsers")),
    ):
        t.quietly("CreateRole", RoleName=name, AssumeRolePolicyDocument=every, MaxSessionDuration=7200)
        t.quietly("PutRolePolicy", RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    plain = key_of(t.works(*assume("first")))
    t.fails("AccessDenied", "iam", "list-users", key=plain)
    tagged = key_of(t.works(*assume("first"), "--tags", "Key=Team,Value=blue", "Key=Cost,Value=1",
                            "--transitive-tag-keys", "Team"))
    t.works("iam", "list-users", key=tagged)
    chained = key_of(t.works(*assume("second"), key=tagged))
    t.works("iam", "list-users", key=chained)
    t.fails("AccessDenied", "iam", "list-users", key=key_of(t.works(*assume("second"), key=plain)))
    t.fails("InvalidParameterValue", *assume("second"), "--tags", "Key=Team,Value=red", key=tagged)
    t.works(*assume("second"), "--duration-seconds", "7200")
    t.fails("ValidationError", *assume("second"), "--duration-seconds", "7200", key=tagged,
            text="exceeds the 1 hour session limit for roles assumed by role chaining")
    limited = t.works(*assume("third"), "--policy", json.dumps(allow("iam:ListUsers", "iam:CreateUser")))
    t.check(limited["PackedPolicySize"] >= 1, "the size of the session policy is told")
    limited = key_of(limited)
    t.works("iam", "list-users", key=limited)
    t.fails("AccessDenied", "iam", "list-roles", key=limited, text="because no session policy allows the iam:ListRoles action")
    t.fails("AccessDenied", "iam", "create-user", "--user-name", "x", key=limited,
            text="because no identity-based policy allows the iam:CreateUser action")
    t.nobody(*assume("third"))


@row("M60")
def temporary_credentials(t):
    """a session ends on the second; a token that was tampered with is refused; no record is needed"""
    t.serve()
    t.quietly("CreateRole", RoleName="app", AssumeRolePolicyDocument=trust())
    made = t.works(*assume("app"), "--duration-seconds", "900")
    key = key_of(made)
    t.check(key.id.startswith("ASIA"), "an ASIA key")
    t.works("sts", "get-caller-identity", key=key)
    middle = len(key.token) // 2
    bent = key.token[:middle] + ("A" if key.token[middle] != "A" else "B") + key.token[middle + 1:]
    for token in (bent, key.token[:-8], ""):
        t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=process.Key(key.id, key.secret, token))
    t.fails("SignatureDoesNotMatch", "sts", "get-caller-identity", key=process.Key(key.id, key.secret[::-1], key.token))
    t.server.kill()
    t.server.start()
    t.url = t.server.url
    t.works("sts", "get-caller-identity", key=key)
    t.quietly("DeleteRole", RoleName="app")
    t.fails("InvalidClientTokenId", "sts", "get-caller-identity", key=key)

    kept = t.server
    t.serve(dev=True)
    t.quietly("CreateRole", RoleName="app", AssumeRolePolicyDocument=trust())
    made = t.works(*assume("app"), "--duration-seconds", "900")
    key = key_of(made)
    end = datetime.datetime.fromisoformat(made["Credentials.Expiration"].replace("Z", "+00:00"))
    for seconds in (-20, 0, 3600):
        t.server.set_clock(now=(end + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ"))
        t.say(f"  {seconds} s after its end:")
        if seconds < 0:
            t.works("sts", "get-caller-identity", key=key)
        else:
            t.fails("ExpiredToken", "sts", "get-caller-identity", key=key)
    t.server, t.url, t.admin = kept, kept.url, kept.key()
