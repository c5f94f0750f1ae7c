"""Rows on passkeys and security keys: a device in software registers, and opens sessions."""

import json
import urllib.parse

import signin_rows  # noqa: F401  # M65 begins there
from rows import ACCOUNT, ROWS, Failed, row
from signin import Browser

PASSWORD = "Right-Horse-7x-long!"


def authenticators():
    """The device in software; its packages are those of the tests with outside clients."""
    try:
        import authenticator
    except ImportError as error:
        raise Failed(f"the Python package of `{error.name}` is not there") from error
    return authenticator


def page(t):
    """The server's address as browsers have it: a name."""
    url = urllib.parse.urlsplit(t.url)
    return f"{url.scheme}://localhost:{url.port}"


def begin(t, user, key=None):
    t.say(f"> BeginPasskeyRegistration of {user}")
    answer = t.wire(key).own("BeginPasskeyRegistration", UserName=user, MFADeviceName="blue")
    return json.loads(answer.json()["CreationOptions"]) if answer.status == 200 else answer


def finish(t, user, credential, expected=None, key=None):
    t.say(f"> FinishPasskeyRegistration of {user}")
    answer = t.wire(key).own("FinishPasskeyRegistration", UserName=user, Credential=json.dumps(credential))
    t.equal(answer.code or None, expected, "the answer")
    return answer.json().get("SerialNumber") if expected is None else None


def asked(t, user):
    """Signs in up to the second factor."""
    browser = Browser(page(t), t.ca_bundle)
    got = browser.password(ACCOUNT, user, PASSWORD)
    t.equal(got.told, "factor-required", f"the password of {user}")
    return browser, got["ticket"], got["passkey"]


def shown(t, user, device, expected):
    """One sign-in with a key."""
    browser, ticket, options = asked(t, user)
    got = browser.step("factor", {"ticket": ticket, "passkey": device.get(options)})
    t.equal(got.told, expected, "the key")
    return got


@row("M64")
def security_key(t):
    """a security key: registered, listed as u2f, and checked at sign-in to the last bit"""
    device_of = authenticators().Authenticator
    t.serve()
    t.user("alice", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}})
    t.user("bob")
    t.quietly("CreateLoginProfile", UserName="alice", Password=PASSWORD)
    for text, change in [
        ("another origin", {"origin": "https://evil.example"}),
        ("another domain", {"rp_id": "evil.example"}),
        ("nobody there", {"flags": 4}),
    ]:
        t.say(f"> {text}")
        device = device_of("ES256", "self", page(t))
        vars(device).update(change)
        finish(t, "alice", device.create(begin(t, "alice")), "PasskeyNotValid")
    device = device_of("ES256", "self", page(t))
    made = device.create(begin(t, "alice"))
    t.say("> for another user")
    finish(t, "bob", made, "PasskeyNotValid")
    serial = finish(t, "alice", made)
    t.check(serial.startswith(f"arn:aws:iam::{ACCOUNT}:u2f/user/alice/blue-"), "the ARN", found=serial)
    t.say("> the same answer again")
    finish(t, "alice", made, "PasskeyNotValid")
    listed = t.works("aws iam list-mfa-devices --user-name alice")["MFADevices"]
    t.equal([held["SerialNumber"] for held in listed], [serial], "the devices")
    # The older of the two CLIs does not have this operation.
    t.equal(t.quietly("GetMFADevice", UserName="alice", SerialNumber=serial).find("UserName"), "alice", "its user")
    t.equal(t.works("aws iam list-mfa-devices --user-name bob")["MFADevices"], [], "bob's devices")
    t.equal(t.works("aws iam list-virtual-mfa-devices")["VirtualMFADevices"], [], "virtual devices")
    t.fails("AccessDenied", "sts", "get-session-token", "--serial-number", serial, "--token-code", "123456")
    t.fails("DeleteConflict", "aws iam delete-user --user-name alice")

    done = shown(t, "alice", device, "signed-in")
    t.works("iam", "list-users", key=done.key)
    for text, change in [
        ("another origin", {"origin": "https://evil.example"}),
        ("another domain", {"rp_id": "evil.example"}),
        ("nobody there", {"flags": 4}),
        ("another key", {"key": device_of("ES256").key}),
        ("a copy whose count is behind", {"count": 0}),
    ]:
        t.say(f"> {text}")
        before = dict(vars(device))
        vars(device).update(change)
        shown(t, "alice", device, "InvalidFactor")
        vars(device).update({**before, "count": before["count"] + 1})
        shown(t, "alice", device, "signed-in")
    browser, ticket, options = asked(t, "alice")
    answer = device.get(options)
    t.equal(browser.step("factor", {"ticket": ticket, "passkey": answer}).told, "signed-in", "an answer")
    browser, ticket, _ = asked(t, "alice")
    t.equal(browser.step("factor", {"ticket": ticket, "passkey": answer}).told, "InvalidFactor", "the same answer again")
    t.server.kill()
    t.server.start()
    t.url = t.server.url
    device.origin = page(t)
    t.say("> after a restart")
    shown(t, "alice", device, "signed-in")
    logins = [event for event in t.events() if event["eventName"] == "ConsoleLogin"]
    right = [event["additionalEventData"]["MFAIdentifier"] for event in logins
             if event["responseElements"]["ConsoleLogin"] == "Success"]
    t.equal(set(right), {serial}, "MFAIdentifier")
    enabled = [event for event in t.events("--event-name", "EnableMFADevice") if "errorCode" not in event]
    t.equal([event["responseElements"]["serialNumber"] for event in enabled], [serial], "EnableMFADevice in the trail")
    t.works("iam", "deactivate-mfa-device", "--user-name", "alice", "--serial-number", serial)
    browser = Browser(page(t), t.ca_bundle)
    t.equal(browser.password(ACCOUNT, "alice", PASSWORD).told, "signed-in", "without the key")


WITHOUT_KEYS = ROWS["M65"]


@row("M65")
def forced_with_a_key(t):
    """the policy that forces MFA holds for sessions of the console"""
    WITHOUT_KEYS(t)
    device_of = authenticators().Authenticator
    t.serve()
    forced = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": ["iam:EnableMFADevice", "iam:ListMFADevices"], "Resource": "*",
         "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}
    t.user("alice", forced)
    t.quietly("CreateLoginProfile", UserName="alice", Password=PASSWORD)
    browser = Browser(page(t), t.ca_bundle)
    key = browser.password(ACCOUNT, "alice", PASSWORD).key
    t.fails("AccessDenied", "aws iam list-users", key=key)
    device, second = (device_of(kind, "none", page(t)) for kind in ("EdDSA", "RS256"))
    finish(t, "alice", device.create(begin(t, "alice", key=key)), key=key)
    t.fails("AccessDenied", "aws iam list-users", key=key)
    t.equal(begin(t, "alice", key=key).code, "AccessDeniedException", "a second key without the first")
    shown_key = shown(t, "alice", device, "signed-in").key
    t.works("aws iam list-users", key=shown_key)
    finish(t, "alice", second.create(begin(t, "alice", key=shown_key)), key=shown_key)
    t.works("aws iam list-users", key=shown(t, "alice", second, "signed-in").key)
