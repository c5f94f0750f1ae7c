"""Rows on policies that the guides print, and on conditions."""

import json

import process
from proxy import Proxy
from rows import ACCOUNT, row

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"

MFA = """{
"Version": "2012-10-17",
"Statement": [
{
"Effect": "Deny",
"NotAction": [
"iam:CreateVirtualMFADevice",
"iam:EnableMFADevice",
"iam:GetUser",
"iam:ListMFADevices",
"iam:ListVirtualMFADevices",
"iam:ResyncMFADevice",
"sts:GetSessionToken"
],
"Resource": "*",
"Condition": {
"BoolIfExists": {
"aws:MultiFactorAuthPresent": "false"
}
}
}
]
}"""

ADDRESSES = """{
"Version": "2012-10-17",
"Statement": [
{
"Effect": "Allow",
"Action": "*",
"Resource": "*",
"Condition": {
"IpAddress": {
"aws:SourceIp": ["192.168.1.0/24", "10.0.0.0/16"]
}
}
}
]
}"""

TIME = """{
"Version": "2012-10-17",
"Statement": [
{
"Effect": "Deny",
"Action": "*",
"Resource": "*",
"Condition": {
"DateGreaterThan": {
"aws:CurrentTime": "2024-12-31T23:59:59Z"
}
}
}
]
}"""


def administrator(t, name):
    """A further administrator."""
    key = t.user(name)
    t.quietly("AttachUserPolicy", UserName=name, PolicyArn=ADMIN)
    return key


@row("M12")
def mfa_policy(t):
    """the MFA policy as printed: stored, and decided for long-term keys"""
    t.serve()
    alice, bob = administrator(t, "alice"), administrator(t, "bob")
    command = ["iam", "put-user-policy", "--user-name", "alice", "--policy-name", "mfa", "--policy-document", MFA]
    t.nobody(*command)
    t.works(*command)
    t.equal(t.works("iam", "get-user-policy", "--user-name", "alice", "--policy-name", "mfa")["PolicyDocument"],
            json.loads(MFA), "it is stored")
    t.fails("AccessDenied", "iam", "list-users", key=alice, text="with an explicit deny in an identity-based policy")
    t.works("iam", "get-user", key=alice)
    session = t.works("sts", "get-session-token", key=alice)["Credentials"]
    for action, fields in (
        ("CreateVirtualMFADevice", {"VirtualMFADeviceName": "a"}),
        ("EnableMFADevice", {"UserName": "alice", "SerialNumber": "x" * 9, "AuthenticationCode1": "123456", "AuthenticationCode2": "123456"}),
        ("ListMFADevices", {}),
        ("ListVirtualMFADevices", {}),
        ("ResyncMFADevice", {"UserName": "alice", "SerialNumber": "x" * 9, "AuthenticationCode1": "123456", "AuthenticationCode2": "123456"}),
    ):
        answer = t.wire(alice).call("iam", action, **fields)
        t.check(answer.code not in ("AccessDenied",), f"{action} is not denied")
    # The key is absent for long-term credentials: the same policy with `Bool` does not deny them.
    t.works("iam", "put-user-policy", "--user-name", "bob", "--policy-name", "mfa",
            "--policy-document", MFA.replace("BoolIfExists", "Bool"))
    t.works("iam", "list-users", key=bob)
    # In a session without a second factor it is present and false: IAM is closed to it anyway, and
    # a role is what shows it.
    trust = json.dumps({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}})
    t.quietly("CreateRole", RoleName="r", AssumeRolePolicyDocument=trust)
    t.fails("AccessDenied", "sts", "assume-role", "--role-arn", f"arn:aws:iam::{ACCOUNT}:role/r", "--role-session-name", "s1",
            key=process.Key.of(t.works("sts", "get-session-token", key=bob)["Credentials"]),
            text="with an explicit deny")
    t.check(session["AccessKeyId"].startswith("ASIA"), "a session key")


@row("M17")
def source_addresses(t):
    """Allow from two networks; behind a proxy only trusted hops count; IPv6"""
    t.serve("--trusted-proxy", "127.0.0.1/32")
    alice, direct = t.user("alice"), t.url
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "ip", "--policy-document", ADDRESSES)
    with Proxy(direct) as proxy:
        t.url = proxy.url
        for hops, fine in (
            ("10.0.3.4", True),
            ("192.168.1.255", True),
            ("8.8.8.8", False),
            ("10.1.0.1", False),
            # The client wrote the left one itself: the right-most hop that is not trusted counts.
            ("10.0.3.4, 8.8.8.8", False),
            ("8.8.8.8, 10.0.3.4", True),
            ("10.0.3.4, 127.0.0.1", True),
            ("::ffff:10.0.3.4", True),
            ("2001:db8::1", False),
        ):
            proxy.headers = {"X-Forwarded-For": hops}
            t.say(f"  from {hops}:")
            if fine:
                t.works("iam", "list-users", key=alice)
            else:
                t.fails("AccessDenied", "iam", "list-users", key=alice)
        t.url = direct
        t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "ip", "--policy-document",
                ADDRESSES.replace("10.0.0.0/16", "2001:db8::/32"))
        t.url = proxy.url
        for hops, fine in (("2001:db8::1", True), ("2001:db9::1", False)):
            proxy.headers = {"X-Forwarded-For": hops}
            t.equal(t.aws("iam", "list-users", key=alice).exit == 0, fine, f"from {hops}")
        t.url = direct
    t.fails("AccessDenied", "iam", "list-users", key=alice)
    t.check("10.0.3.4" in {event["sourceIPAddress"] for event in t.events("--user", "alice")}, "the address is in the trail")
    # A server that trusts no proxy believes no header.
    t.server.stop()
    t.serve()
    alice = t.user("alice", json.loads(ADDRESSES))
    direct = t.url
    with Proxy(direct) as proxy:
        proxy.headers = {"X-Forwarded-For": "10.0.3.4"}
        t.url = proxy.url
        t.fails("AccessDenied", "iam", "list-users", key=alice)
        t.url = direct


@row("M18")
def an_end_in_time(t):
    """Deny after an instant: today it denies everything, even to administrators; before, nothing"""
    t.serve()
    alice = administrator(t, "alice")
    t.works("iam", "put-user-policy", "--user-name", "alice", "--policy-name", "end", "--policy-document", TIME)
    t.fails("AccessDenied", "iam", "list-users", key=alice, text="with an explicit deny in an identity-based policy")
    t.works("sts", "get-caller-identity", key=alice)
    t.works("iam", "list-users")
    root = t.server.root_key()
    t.works("iam", "list-users", key=root)
    kept, stopped = t.server, t.state()
    t.serve(dev=True)
    alice = administrator(t, "alice")
    t.quietly("PutUserPolicy", UserName="alice", PolicyName="end", PolicyDocument=TIME)
    # Signatures are checked by the system's clock, so that clients need not be set back.
    for now, fine in (
        ("2024-12-31T23:59:00Z", True),
        ("2025-01-01T00:00:00Z", False),
        ("2026-06-01T00:00:00Z", False),
        ("2020-01-01T00:00:00Z", True),
    ):
        t.server.set_clock(now=now)
        t.say(f"  at {now}:")
        if fine:
            t.works("iam", "list-users", key=alice)
        else:
            t.fails("AccessDenied", "iam", "list-users", key=alice)
    # The same instant in epoch seconds.
    t.server.set_clock(reset=True)
    t.quietly("PutUserPolicy", UserName="alice", PolicyName="end",
              PolicyDocument=TIME.replace("2024-12-31T23:59:59Z", "1735689599"))
    t.equal(t.wire(alice).call("iam", "ListUsers").code, "AccessDenied", "today, by epoch seconds")
    t.server, t.url, t.admin = kept, kept.url, kept.key()
    t.check(stopped, "the first server holds its state")


TEXT = "aws:RequestTag/v"
# Operator, values in the policy, value of the request (None: the key is absent), whether it matches.
CONDITIONS = [
    ("StringEquals", ["blue"], "blue", True),
    ("StringEquals", ["blue"], "Blue", False),
    ("StringEquals", ["blue"], None, False),
    ("StringEquals", ["red", "blue"], "blue", True),
    ("StringEquals", ["b*"], "blue", False),
    ("StringNotEquals", ["blue"], "blue", False),
    ("StringNotEquals", ["blue"], "red", True),
    ("StringNotEquals", ["blue"], None, True),
    ("StringNotEquals", ["red", "blue"], "blue", False),
    ("StringEqualsIgnoreCase", ["blue"], "BLUE", True),
    ("StringEqualsIgnoreCase", ["blue"], "green", False),
    ("StringNotEqualsIgnoreCase", ["blue"], "BLUE", False),
    ("StringNotEqualsIgnoreCase", ["blue"], "red", True),
    ("StringNotEqualsIgnoreCase", ["blue"], None, True),
    ("StringLike", ["b*e"], "blue", True),
    ("StringLike", ["bl?e"], "blue", True),
    ("StringLike", ["bl?e"], "ble", False),
    ("StringLike", ["B*"], "blue", False),
    ("StringLike", ["*"], None, False),
    ("StringLike", ["x*", "b*"], "blue", True),
    ("StringNotLike", ["b*"], "blue", False),
    ("StringNotLike", ["b*"], "red", True),
    ("StringNotLike", ["b*"], None, True),
    ("NumericEquals", ["10"], "10.0", True),
    ("NumericEquals", ["10"], "11", False),
    ("NumericEquals", ["10"], "ten", False),
    ("NumericEquals", ["10"], None, False),
    ("NumericEquals", ["9", "10"], "10", True),
    ("NumericNotEquals", ["10"], "11", True),
    ("NumericNotEquals", ["10"], "10", False),
    ("NumericNotEquals", ["10"], None, True),
    ("NumericLessThan", ["10"], "9", True),
    ("NumericLessThan", ["10"], "10", False),
    ("NumericLessThan", ["10"], None, False),
    ("NumericLessThanEquals", ["10"], "10", True),
    ("NumericLessThanEquals", ["10"], "10.5", False),
    ("NumericGreaterThan", ["10"], "11", True),
    ("NumericGreaterThan", ["10"], "9", False),
    ("NumericGreaterThanEquals", ["10"], "10", True),
    ("NumericGreaterThanEquals", ["10"], "-10", False),
    ("DateEquals", ["2026-01-01T00:00:00Z"], "2026-01-01T00:00:00Z", True),
    ("DateEquals", ["2026-01-01T00:00:00Z"], "1767225600", True),
    ("DateEquals", ["2026-01-01T00:00:00Z"], "2026-01-02T00:00:00Z", False),
    ("DateNotEquals", ["2026-01-01T00:00:00Z"], "2026-01-02T00:00:00Z", True),
    ("DateNotEquals", ["2026-01-01T00:00:00Z"], None, True),
    ("DateLessThan", ["2026-01-01T00:00:00Z"], "2025-12-31T23:59:59Z", True),
    ("DateLessThan", ["2026-01-01T00:00:00Z"], "2026-01-01T00:00:00Z", False),
    ("DateLessThanEquals", ["2026-01-01T00:00:00Z"], "2026-01-01T00:00:00Z", True),
    ("DateGreaterThan", ["2026-01-01T00:00:00Z"], "2026-01-01T00:00:01Z", True),
    ("DateGreaterThan", ["2026-01-01T00:00:00Z"], "tomorrow", False),
    ("DateGreaterThanEquals", ["2026-01-01T00:00:00Z"], "2026-01-01T00:00:00Z", True),
    ("DateGreaterThanEquals", ["2026-01-01T00:00:00Z"], None, False),
    ("Bool", ["true"], "true", True),
    ("Bool", ["true"], "false", False),
    ("Bool", ["true"], None, False),
    ("Bool", ["false"], "false", True),
    ("BinaryEquals", ["QmluYXJ5VmFsdWU="], "QmluYXJ5VmFsdWU=", True),
    ("BinaryEquals", ["QmluYXJ5VmFsdWU="], "QmluYXJ5", False),
    ("BinaryEquals", ["QmluYXJ5VmFsdWU="], None, False),
    ("IpAddress", ["10.0.0.0/8"], "10.1.2.3", True),
    ("IpAddress", ["10.0.0.0/8"], "11.1.2.3", False),
    ("IpAddress", ["10.0.0.0/8"], None, False),
    ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::7", True),
    ("IpAddress", ["203.0.113.5"], "203.0.113.5", True),
    ("IpAddress", ["10.0.0.0/8"], "nowhere", False),
    ("NotIpAddress", ["10.0.0.0/8"], "11.1.2.3", True),
    ("NotIpAddress", ["10.0.0.0/8"], "10.1.2.3", False),
    ("NotIpAddress", ["10.0.0.0/8"], None, True),
    ("ArnEquals", ["arn:aws:sns:us-east-1:123456789012:topic"], "arn:aws:sns:us-east-1:123456789012:topic", True),
    ("ArnEquals", ["arn:aws:sns:*:123456789012:*"], "arn:aws:sns:us-east-1:123456789012:topic", True),
    ("ArnEquals", ["arn:aws:sns:us-east-1:123456789012:topic"], None, False),
    ("ArnLike", ["arn:aws:sns:*:*:t?pic"], "arn:aws:sns:us-east-1:123456789012:topic", True),
    ("ArnLike", ["arn:aws:*"], "arn:aws:sns:us-east-1:123456789012:topic", False),
    ("ArnLike", ["arn:aws:sns:*:*:t?pic"], "arn:aws:sqs:us-east-1:123456789012:topic", False),
    ("ArnNotEquals", ["arn:aws:sns:us-east-1:123456789012:topic"], "arn:aws:sns:us-east-1:123456789012:other", True),
    ("ArnNotEquals", ["arn:aws:sns:us-east-1:123456789012:topic"], None, True),
    ("ArnNotLike", ["arn:aws:sns:*:*:t*"], "arn:aws:sns:us-east-1:123456789012:topic", False),
    ("ArnNotLike", ["arn:aws:sns:*:*:t*"], "arn:aws:sns:us-east-1:123456789012:other", True),
    ("Null", ["true"], None, True),
    ("Null", ["true"], "x", False),
    ("Null", ["false"], "x", True),
    ("Null", ["false"], None, False),
    ("StringEqualsIfExists", ["blue"], None, True),
    ("StringEqualsIfExists", ["blue"], "red", False),
    ("StringLikeIfExists", ["b*"], None, True),
    ("NumericLessThanIfExists", ["10"], None, True),
    ("NumericLessThanIfExists", ["10"], "11", False),
    ("DateLessThanIfExists", ["2026-01-01T00:00:00Z"], None, True),
    ("BoolIfExists", ["true"], None, True),
    ("BoolIfExists", ["true"], "false", False),
    ("BinaryEqualsIfExists", ["QmluYXJ5VmFsdWU="], None, True),
    ("IpAddressIfExists", ["10.0.0.0/8"], None, True),
    ("IpAddressIfExists", ["10.0.0.0/8"], "8.8.8.8", False),
    ("ArnLikeIfExists", ["arn:aws:sns:*:*:*"], None, True),
    # Variables, with and without a default.
    ("StringEquals", ["${aws:username}"], "caller", True),
    ("StringEquals", ["${aws:username}"], "other", False),
    ("StringEquals", ["${aws:PrincipalTag/team}"], "blue", True),
    ("StringEquals", ["${aws:PrincipalTag/none}"], "blue", False),
    ("StringEquals", ["${aws:PrincipalTag/none, 'green'}"], "green", True),
    ("StringEquals", ["${aws:PrincipalTag/team, 'green'}"], "green", False),
    ("StringLike", ["${aws:username}-?"], "caller-1", True),
    ("StringNotEquals", ["${aws:PrincipalTag/none}"], "blue", True),
]
# Operator, values in the policy, keys of the tags in the request, whether it matches aws:TagKeys.
SETS = [
    ("ForAllValues:StringEquals", ["a", "b"], ["a"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["a", "c"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "d"], False),
    ("ForAllValues:StringLike", ["a*"], ["a1", "a2"], True),
    ("ForAllValues:StringLike", ["a*"], ["a1", "b2"], False),
    ("ForAnyValue:StringLike", ["a*"], ["b1", "a2"], True),
    ("ForAnyValue:StringNotEquals", ["a"], ["a", "b"], True),
    ("ForAnyValue:StringNotEquals", ["a"], ["a"], False),
    ("ForAllValues:StringNotEquals", ["a"], ["b", "c"], True),
    ("ForAllValues:StringNotEquals", ["a"], ["a", "c"], False),
    ("ForAnyValue:StringEqualsIgnoreCase", ["A"], ["a"], True),
]


def with_condition(condition):
    """The policy that the table turns on."""
    return {"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "iam:TagUser", "Resource": "*", "Condition": condition}}


@row("M20")
def conditions(t):
    """every operator, by real decisions: present, absent, several values, variables"""
    t.serve()
    key = t.user("caller", **{"Tags.member.1.Key": "team", "Tags.member.1.Value": "blue"})
    t.quietly("CreateUser", UserName="target")
    admin, caller = t.wire(), t.wire(key)
    wrong = []

    def decides(operator, name, values, tags, expected):
        document = json.dumps(with_condition({operator: {name: values}}))
        answer = admin.call("iam", "PutUserPolicy", UserName="caller", PolicyName="p", PolicyDocument=document)
        if answer.status != 200:
            wrong.append((operator, values, answer.text))
            return
        fields = {}
        for number, (tag, value) in enumerate(tags, 1):
            fields |= {f"Tags.member.{number}.Key": tag, f"Tags.member.{number}.Value": value}
        answer = caller.call("iam", "TagUser", UserName="target", **fields)
        found = {200: True, 403: False}.get(answer.status, answer.text)
        if found != expected:
            wrong.append((operator, values, tags, found))

    for operator, values, value, expected in CONDITIONS:
        decides(operator, TEXT, values, [("v", value)] if value is not None else [("w", "x")], expected)
    for operator, values, keys, expected in SETS:
        decides(operator, "aws:TagKeys", values, [(tag, "") for tag in keys], expected)
    t.check(not wrong, f"{len(CONDITIONS) + len(SETS)} conditions decide as documented", found=wrong)
    # An empty set: ForAllValues matches it, ForAnyValue does not. Untagged calls have no aws:TagKeys.
    for operator, fine in (("ForAllValues:StringEquals", True), ("ForAnyValue:StringEquals", False),
                           ("ForAllValues:StringNotEquals", True), ("ForAnyValue:StringNotEquals", False)):
        document = json.dumps(with_condition({operator: {"aws:TagKeys": ["a"]}})).replace("iam:TagUser", "iam:ListUsers")
        admin.call("iam", "PutUserPolicy", UserName="caller", PolicyName="p", PolicyDocument=document)
        t.equal(caller.call("iam", "ListUsers").status == 200, fine, f"{operator} without the key matches")
    # Two operators and two keys: all must match.
    both = {"StringEquals": {TEXT: "blue", "aws:PrincipalTag/team": "blue"}, "StringLike": {"aws:username": "call*"}}
    for condition, fine in ((both, True), (both | {"Bool": {"aws:SecureTransport": "true"}}, False)):
        admin.call("iam", "PutUserPolicy", UserName="caller", PolicyName="p", PolicyDocument=json.dumps(with_condition(condition)))
        answer = caller.call("iam", "TagUser", UserName="target", **{"Tags.member.1.Key": "v", "Tags.member.1.Value": "blue"})
        t.equal(answer.status == 200, fine, "conditions joined by and")
    for operator in ("StringEqual", "NullIfExists", "ForEachValue:StringEquals", "stringlikes"):
        t.fails("MalformedPolicyDocument", "iam", "put-user-policy", "--user-name", "caller", "--policy-name", "bad",
                "--policy-document", json.dumps(with_condition({operator: {"aws:username": "x"}})))


@row("M21")
def secure_transport(t):
    """Deny without TLS: plain HTTP is denied, TLS passes, a proxy that ends TLS by a setting"""
    policy = {"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}}
    words = ["iam", "put-user-policy", "--user-name", "alice", "--policy-name", "tls", "--policy-document", json.dumps(policy)]
    t.serve("--tls-self-signed")
    t.say(f"  {t.url}")
    alice = administrator(t, "alice")
    t.works(*words)
    t.works("iam", "list-users", key=alice)
    t.check(t.events("--user", "alice")[0]["eventName"] == "ListUsers", "our own command line speaks TLS too")
    t.serve("--trusted-proxy", "127.0.0.1/32")
    alice, direct = administrator(t, "alice"), t.url
    t.works(*words)
    t.fails("AccessDenied", "iam", "list-users", key=alice, text="with an explicit deny")
    with Proxy(direct) as proxy:
        t.url = proxy.url
        proxy.headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}
        t.works("iam", "list-users", key=alice)
        proxy.headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "http"}
        t.fails("AccessDenied", "iam", "list-users", key=alice)
        proxy.headers = {"X-Forwarded-For": "198.51.100.7"}
        t.fails("AccessDenied", "iam", "list-users", key=alice)
        t.url = direct
