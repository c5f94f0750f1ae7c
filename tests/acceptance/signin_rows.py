"""Rows on passwords and on signing in with them."""

import base64
import csv
import datetime
import hashlib
import io
import json
import pathlib

from mfa_rows import Device
from rows import ACCOUNT, ROWS, row
from signin import Browser

GOOD, OTHER, WRONG = "Right-Horse-7x-long!", "Other-Horse-8y-long!", "Wrong-Horse-9z-long!"

PRINTED = (
    "aws iam update-account-password-policy --minimum-password-length 14 --require-symbols --require-numbers "
    "--require-uppercase-characters --require-lowercase-characters --allow-users-to-change-password "
    "--max-password-age 90 --password-reuse-prevention 24"
)


def browse(t):
    """A browser at the server's sign-in."""
    return Browser(t.url, t.ca_bundle)


def sign_in(t, browser, user, password, expected):
    """One sign-in, as printed."""
    t.say(f"> sign in as {user}")
    page = browser.password(ACCOUNT, user, password)
    t.equal(page.told, expected, "the answer")
    return page


@row("M30")
def policy(t):
    """the account's password policy holds"""
    t.serve()
    t.works(PRINTED)
    t.quietly("CreateUser", UserName="alice")
    t.fails("PasswordPolicyViolation", "aws iam create-login-profile --user-name alice --password short")
    t.fails("NoSuchEntity", "aws iam get-login-profile --user-name alice")
    t.works("iam", "create-login-profile", "--user-name", "alice", "--password", GOOD)
    shown = t.works("aws iam get-account-password-policy")["PasswordPolicy"]
    t.equal((shown["MinimumPasswordLength"], shown["MaxPasswordAge"], shown["PasswordReusePrevention"]), (14, 90, 24), "the policy")
    t.fails("PasswordPolicyViolation", "iam", "update-login-profile", "--user-name", "alice", "--password", GOOD)
    t.works("iam", "update-login-profile", "--user-name", "alice", "--password", OTHER)
    t.fails("PasswordPolicyViolation", "iam", "update-login-profile", "--user-name", "alice", "--password", GOOD, text="reuse")
    browser = browse(t)
    sign_in(t, browser, "alice", GOOD, "InvalidCredentials")
    sign_in(t, browser, "alice", OTHER, "signed-in")
    held = b"".join(path.read_bytes() for path in t.server.data_dir.rglob("*") if path.is_file())
    found = [text for text in (GOOD, OTHER) if text.encode() in held or base64.b64encode(text.encode()).strip(b"=") in held]
    t.equal(found, [], "passwords in the data directory")
    t.check(b"$argon2id$v=19$m=19456,t=2,p=1$" in held, "Argon2id hashes are")


@row("M31")
def classes(t):
    """fourteen characters of four classes, no fewer"""
    t.serve()
    t.works("aws iam update-account-password-policy --minimum-password-length 14 --require-symbols --require-numbers "
            "--require-uppercase-characters --require-lowercase-characters")
    t.quietly("CreateUser", UserName="alice")
    for password, fine in [
        ("Aa1!xxxxxxxxx", False),
        ("aa1!xxxxxxxxxx", False),
        ("AA1!XXXXXXXXXX", False),
        ("Aaa!xxxxxxxxxx", False),
        ("Aa11xxxxxxxxxx", False),
        ("Aa1!xxxxxxxxxx", True),
    ]:
        command = ["iam", "create-login-profile", "--user-name", "alice", "--password", password]
        if fine:
            t.works(*command)
        else:
            t.fails("PasswordPolicyViolation", *command)


@row("M32")
def expiry(t):
    """passwords expire: softly into a change, hard into the administrator's hands"""
    server = t.serve(dev=True)
    t.works("aws iam update-account-password-policy --minimum-password-length 14 --max-password-age 90 "
            "--allow-users-to-change-password")
    t.quietly("CreateUser", UserName="alice")
    t.quietly("CreateLoginProfile", UserName="alice", Password=GOOD)

    def report():
        t.works("iam", "generate-credential-report")
        text = base64.b64decode(t.works("iam", "get-credential-report")["Content"]).decode()
        return next(line for line in csv.DictReader(io.StringIO(text)) if line["user"] == "alice")

    def moment(text):
        return datetime.datetime.fromisoformat(text)

    line = report()
    days = moment(line["password_next_rotation"]) - moment(line["password_last_changed"])
    t.equal(days, datetime.timedelta(days=90), "until the next rotation")
    t.equal(line["password_last_used"], "no_information", "before the first sign-in")
    browser = browse(t)
    sign_in(t, browser, "alice", GOOD, "signed-in")
    t.say("> 91 days later")
    server.set_clock(advance_seconds=91 * 86_400)
    page = sign_in(t, browser, "alice", GOOD, "password-change-required")
    t.equal(page["reason"], "expired", "the reason")
    t.check("credentials" not in page.body, "there is no session yet")
    page = browser.new_password(page["ticket"], GOOD, OTHER)
    t.equal(page.told, "signed-in", "after a change")
    line = report()
    t.check(moment(line["password_last_used"]) < moment(line["password_next_rotation"]), "the report knows the sign-in")
    days = moment(line["password_next_rotation"]) - moment(line["password_last_changed"])
    t.equal(days, datetime.timedelta(days=90), "until the next rotation")
    t.works("aws iam update-account-password-policy --minimum-password-length 14 --max-password-age 90 --hard-expiry")
    t.say("> 91 days later")
    server.set_clock(advance_seconds=91 * 86_400)
    sign_in(t, browser, "alice", OTHER, "PasswordExpired")
    t.works("iam", "update-login-profile", "--user-name", "alice", "--password", GOOD)
    sign_in(t, browser, "alice", GOOD, "signed-in")


WITHOUT_SIGN_IN = ROWS["M62"]


@row("M62")
def virtual_device(t):
    """virtual MFA: codes once each, wrong ones slowed down, resync, asked for at sign-in"""
    WITHOUT_SIGN_IN(t)
    t.serve()
    t.user("alice", {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"}})
    t.quietly("CreateLoginProfile", UserName="alice", Password=GOOD)
    device = Device(t, "alice")
    t.works(*device.enable("alice"))
    browser = browse(t)
    page = sign_in(t, browser, "alice", GOOD, "factor-required")
    t.check(not browser.cookies and "credentials" not in page.body, "a password alone opens nothing")
    t.equal(browser.code(page["ticket"], "000000").told, "InvalidFactor", "a wrong code")
    code = device.code(1)
    done = browser.code(page["ticket"], code)
    t.equal(done.told, "signed-in", "the right code")
    t.works("iam", "list-users", key=done.key)
    again = sign_in(t, browser, "alice", GOOD, "factor-required")
    t.equal(browser.code(again["ticket"], code).told, "InvalidFactor", "the same code again")
    for _ in range(20):
        if browser.code(again["ticket"], "000000").told == "TooManyAttempts":
            break
    else:
        t.check(False, "wrong codes are slowed down")
    login = [event for event in t.events() if event["eventName"] == "ConsoleLogin" and event["responseElements"]["ConsoleLogin"] == "Success"]
    t.equal([event["additionalEventData"]["MFAUsed"] for event in login], ["Yes"], "MFAUsed")
    t.equal(login[0]["additionalEventData"]["MFAIdentifier"], device.serial, "MFAIdentifier")


@row("M65")
def forced_at_the_console(t):
    """the policy that forces MFA holds for sessions of the console"""
    t.serve()
    free = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices",
            "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"]
    forced = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "NotAction": free, "Resource": "*",
         "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}]}
    t.user("alice", forced)
    t.quietly("CreateLoginProfile", UserName="alice", Password=GOOD)
    browser = browse(t)
    key = sign_in(t, browser, "alice", GOOD, "signed-in").key
    refusal = "with an explicit deny in an identity-based policy"
    for command in ("list-users", "list-roles", "create-access-key"):
        t.fails("AccessDenied", "iam", command, key=key, text=refusal)
    for command in ("get-user", "list-mfa-devices", "list-virtual-mfa-devices"):
        t.works("iam", command, key=key)
    device = Device(t, "alice", key=key)
    t.works(*device.enable("alice"), key=key)
    t.fails("AccessDenied", "iam", "list-users", key=key, text=refusal)
    page = sign_in(t, browser, "alice", GOOD, "factor-required")
    page = browser.code(page["ticket"], device.code(1))
    t.equal(page.told, "signed-in", "with the code")
    t.works("iam", "list-users", key=page.key)
    event = t.recorded("CreateVirtualMFADevice", virtualMFADeviceName="alice")
    t.equal(event.get("sessionCredentialFromConsole"), "true", "sessionCredentialFromConsole")


@row("M149")
def known_passwords(t):
    """passwords known from breaches are refused, from a list on this machine"""
    t.serve()
    t.works(PRINTED)
    t.quietly("CreateUser", UserName="alice")
    file = pathlib.Path(t.home, "hashes.bin")
    file.write_text("".join(
        f"{hashlib.sha1(text.encode()).hexdigest().upper()}:{number}\n"
        for number, text in enumerate([*(f"filler-{number}" for number in range(5000)), WRONG], 1)))
    told = json.loads(t.bailiwick("admin", "password-blocklist", "load", str(file), "--format", "json").stdout)
    t.equal(told["hashes"], 5001, "hashes loaded")
    t.check(told["loaded"], "the list is dated")
    t.fails("PasswordPolicyViolation", "iam", "create-login-profile", "--user-name", "alice", "--password", WRONG, text="breaches")
    t.works("iam", "create-login-profile", "--user-name", "alice", "--password", GOOD)
    t.fails("PasswordPolicyViolation", "iam", "update-login-profile", "--user-name", "alice", "--password", WRONG, text="breaches")
    t.works("iam", "update-login-profile", "--user-name", "alice", "--password", OTHER, "--password-reset-required")
    browser = browse(t)
    page = sign_in(t, browser, "alice", OTHER, "password-change-required")
    t.equal(browser.new_password(page["ticket"], OTHER, WRONG).told, "PasswordPolicyViolation", "a listed one at sign-in")
    t.equal(browser.new_password(page["ticket"], OTHER, GOOD).told, "PasswordPolicyViolation", "a used one at sign-in")
    t.bailiwick("data", "password-blocklist", "remove")
    t.works("iam", "update-login-profile", "--user-name", "alice", "--password", WRONG)
    t.check({"LoadPasswordBlocklist", "RemovePasswordBlocklist"} <= {event["eventName"] for event in t.events()}, "both are in the trail")
