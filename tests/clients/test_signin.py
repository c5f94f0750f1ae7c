"""Sign-in over HTTP: passwords, codes, sessions and their end, and the list of known passwords."""

import concurrent.futures
import hashlib
import json
import pathlib
import re
import time

import boto3
import botocore.exceptions
import process
import pytest
import totp
from conftest import ACCOUNT, allow, config
from signin import Browser
from signing import Wire

GOOD, OTHER, WRONG = "Right-Horse-7x!", "Other-Horse-8y!", "Wrong-Horse-9z!"


@pytest.fixture
def own(binary):
    """A server of the test's own, with its data directory."""
    with process.Server(binary, account=ACCOUNT) as started:
        yield started


def iam(server, key=None):
    """An iam client."""
    key = key or server.key()
    return boto3.session.Session().client(
        "iam", region_name="us-east-1", endpoint_url=server.url, aws_access_key_id=key.id,
        aws_secret_access_key=key.secret, aws_session_token=key.token, config=config(),
    )


def user(server, name, *actions, password=GOOD, **more):
    """A user with a console password."""
    client = iam(server)
    client.create_user(UserName=name)
    if actions:
        client.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(allow(*actions)))
    client.create_login_profile(UserName=name, Password=password, **more)
    return client


def device(client, name):
    """A virtual device in use; returns its seed and serial number."""
    made = client.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]
    seed = made["Base32StringSeed"]
    step = time.time() // totp.STEP
    client.enable_mfa_device(
        UserName=name, SerialNumber=made["SerialNumber"],
        AuthenticationCode1=totp.code(seed, step - 1), AuthenticationCode2=totp.code(seed, step),
    )
    return seed, made["SerialNumber"]


def events(server, name=None):
    """The events of sign-in, oldest first."""
    found = [event for event in Wire(server.url, server.key()).follow(None)[0]
             if event["eventSource"] == "signin.amazonaws.com"]
    return [event for event in found if name in (None, event["eventName"])]


def code_of(error):
    return error.value.response["Error"]["Code"]


def test_the_first_sign_in(own):
    text = (own.data_dir / "credentials").read_text()
    first = re.search(r"One-time console password: (\S+)", text).group(1)
    browser = Browser(own.url)
    page = browser.password(ACCOUNT, "admin", first)
    assert (page.told, page["reason"]) == ("password-change-required", "reset")
    assert not browser.cookies and "credentials" not in page.body
    page = browser.new_password(page["ticket"], first, GOOD)
    assert page.told == "signed-in" and page.status == 200
    assert page["arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin"
    assert page.key.id.startswith("ASIA")
    assert iam(own, page.key).list_users()["Users"][0]["UserName"] == "admin"
    for part in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"):
        assert part in browser.set_cookie
    assert "Secure" not in browser.set_cookie
    assert browser.sign_out().told == "signed-out"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        iam(own, page.key).list_users()
    assert code_of(error) == "InvalidClientTokenId"
    assert browser.session().told == "NoSession"
    assert [event["eventName"] for event in events(own)] == ["ConsoleLogin", "GetSigninToken", "Logout"]


def test_a_code_and_what_a_kill_leaves(own):
    client = user(own, "alice", "iam:*")
    seed, serial = device(client, "alice")
    browser = Browser(own.url)
    page = browser.password(ACCOUNT, "ALICE", GOOD)
    assert page.told == "factor-required"
    assert page["factors"] == [{"serialNumber": serial, "type": "Virtual MFA"}]
    code = totp.code(seed, time.time() // totp.STEP + 1)
    assert browser.code(page["ticket"], "000000").told in ("InvalidFactor",)
    page = browser.code(page["ticket"], code)
    assert page.told == "signed-in" and page["multiFactor"] is True
    iam(own, page.key).create_user(UserName="by-console")
    used = client.get_user(UserName="alice")["User"]["PasswordLastUsed"]
    stranger = Browser(own.url)
    for _ in range(5):
        assert stranger.password(ACCOUNT, "alice", WRONG).status == 401
    assert stranger.password(ACCOUNT, "alice", GOOD).told == "TooManyAttempts"
    own.kill()
    own.start()
    browser.url = stranger.url = Browser(own.url).url
    client = iam(own)
    # Session, cookie and last use are there, and so are the counts; the code is used up.
    iam(own, page.key).get_user(UserName="by-console")
    again = browser.session()
    assert again.told == "signed-in" and again["multiFactor"] is True
    assert client.get_user(UserName="alice")["User"]["PasswordLastUsed"] == used
    answers = {stranger.password(ACCOUNT, "alice", WRONG).status for _ in range(3)}
    assert 429 in answers, "the counts are gone"

    def right():
        found = stranger.password(ACCOUNT, "alice", GOOD)
        return found if found.told == "factor-required" else None

    page = process.wait_for(right, "the wait to end")
    assert stranger.code(page["ticket"], code).told == "InvalidFactor"
    names = [(event["eventName"], event["responseElements"][event["eventName"]]) for event in events(own)]
    assert names[:3] == [("CheckMfa", "Success"), ("ConsoleLogin", "Failure"), ("ConsoleLogin", "Success")]
    login = events(own, "ConsoleLogin")
    assert login[0]["errorMessage"] == "Failed authentication"
    assert login[1]["additionalEventData"] == {
        "LoginTo": f"{login[1]['additionalEventData']['LoginTo']}", "MobileVersion": "No",
        "MFAIdentifier": serial, "MFAUsed": "Yes"}
    assert {event["eventType"] for event in login} == {"AwsConsoleSignIn"}
    # Its device goes, and the session with it.
    client.deactivate_mfa_device(UserName="alice", SerialNumber=serial)
    assert browser.session().told == "NoSession"
    with pytest.raises(botocore.exceptions.ClientError) as error:
        iam(own, again.key).list_users()
    assert code_of(error) == "InvalidClientTokenId"


def test_names_are_not_told_apart(own):
    user(own, "alice")
    iam(own).create_user(UserName="keys-only")
    told = set()
    for account, name in [(ACCOUNT, "alice"), (ACCOUNT, "keys-only"), (ACCOUNT, "nobody"), ("210987654321", "alice"), ("no-alias", "x")]:
        page = Browser(own.url).password(account, name, WRONG)
        headers = {name: value for name, value in page.headers.items() if name.lower() not in ("x-amzn-requestid", "date")}
        told.add((page.status, json.dumps(page.body), json.dumps(headers, sort_keys=True)))
    assert len(told) == 1, told
    hidden = [event for event in events(own) if event["userIdentity"]["userName"] == "HIDDEN_DUE_TO_SECURITY_REASONS"]
    assert len(hidden) == 3 and "nobody" not in json.dumps(hidden)
    assert all(event["errorMessage"] == "No username found in supplied account" for event in hidden)


def test_a_page_of_another_site_signs_nobody_in(own):
    user(own, "alice")
    browser = Browser(own.url)
    good = json.dumps({"account": ACCOUNT, "userName": "alice", "password": GOOD}).encode()
    for headers, status in [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ]:
        assert browser.step("password", raw=good, **headers).status == status
    assert browser.step("password", raw=b"x" * 40_000).status == 413
    assert browser.step("nothing").status == 404
    assert events(own) == []
    assert browser.step("password", raw=good).status == 200


def test_over_tls_the_cookie_is_for_this_host_alone(binary):
    with process.Server(binary, options=["--tls-self-signed"], account=ACCOUNT) as server:
        first = re.search(r"One-time console password: (\S+)", (server.data_dir / "credentials").read_text()).group(1)
        browser = Browser(server.url, server.ca_bundle)
        page = browser.password(ACCOUNT, "admin", first)
        assert browser.new_password(page["ticket"], first, GOOD).told == "signed-in"
        assert browser.set_cookie.startswith("__Host-bailiwick-session=")
        assert browser.set_cookie.endswith("HttpOnly; SameSite=Strict; Secure")


def test_a_session_is_as_long_as_the_operator_says(binary):
    with process.Server(binary, options=["--console-session-minutes", "15"], account=ACCOUNT) as server:
        user(server, "alice")
        browser = Browser(server.url)
        assert browser.password(ACCOUNT, "alice", GOOD).told == "signed-in"
        assert "Max-Age=900" in browser.set_cookie


def test_passwords_expire(dev):
    client = user(dev, "alice", "iam:ChangePassword")
    client.update_account_password_policy(MaxPasswordAge=90, PasswordReusePrevention=3, MinimumPasswordLength=8)
    browser = Browser(dev.url)
    dev.set_clock(advance_seconds=89 * 86_400)
    assert browser.password(ACCOUNT, "alice", GOOD).told == "signed-in"
    dev.set_clock(advance_seconds=2 * 86_400)
    assert browser.session().told == "NoSession"
    page = browser.password(ACCOUNT, "alice", GOOD)
    assert (page.told, page["reason"]) == ("password-change-required", "expired")
    assert browser.new_password(page["ticket"], GOOD, GOOD).told == "PasswordPolicyViolation"
    assert browser.new_password(page["ticket"], GOOD, OTHER).told == "signed-in"
    client.update_account_password_policy(MaxPasswordAge=90, HardExpiry=True, MinimumPasswordLength=8)
    dev.set_clock(advance_seconds=91 * 86_400)
    page = browser.password(ACCOUNT, "alice", OTHER)
    assert (page.status, page.told) == (403, "PasswordExpired")
    client.update_login_profile(UserName="alice", Password=GOOD, PasswordResetRequired=False)
    assert browser.password(ACCOUNT, "alice", GOOD).told == "signed-in"


def test_tm_f08_a_hundred_sign_ins_at_once_take_little_memory(own):
    user(own, "alice")

    def resident(kind):
        text = pathlib.Path(f"/proc/{own.process.pid}/status").read_text()
        return int(re.search(rf"{kind}:\s+(\d+) kB", text).group(1)) // 1024

    before = resident("VmRSS")
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        found = list(pool.map(lambda number: Browser(own.url).password(ACCOUNT, f"u{number}", WRONG).status, range(100)))
    assert set(found) <= {401, 429, 503} and found.count(401) > 0, found
    # A hundred hashes at 19 MiB would be 1,900.
    assert resident("VmHWM") - before < 300


def sha1(text):
    return hashlib.sha1(text.encode()).hexdigest()


@pytest.mark.parametrize("noun", ["data", "admin"])
def test_known_passwords(own, noun, tmp_path):
    known = tmp_path / "hashes.txt"
    listed = "Known-Horse-1a!"
    lines = [f"{sha1(str(number)).upper()}:{number}" for number in range(2000)] + [sha1(listed), sha1(OTHER)]
    known.write_text("\n".join(lines) + "\n")
    client = user(own, "alice", "iam:ChangePassword")

    def told(*verb):
        return json.loads(own.run(noun, "password-blocklist", *verb, "--format", "json").stdout)

    assert told("show")["hashes"] == 0
    assert told("load", str(known))["hashes"] == 2002
    made = told("show")
    assert made["hashes"] == 2002 and made["loaded"]
    # The server runs on.
    client.create_user(UserName="bob")
    for act in (
        lambda: client.create_login_profile(UserName="bob", Password=listed),
        lambda: client.update_login_profile(UserName="alice", Password=listed),
    ):
        with pytest.raises(botocore.exceptions.ClientError) as error:
            act()
        assert code_of(error) == "PasswordPolicyViolation"
        assert "breaches" in error.value.response["Error"]["Message"]
    key = client.create_access_key(UserName="alice")["AccessKey"]
    alice = iam(own, process.Key.of(key))
    with pytest.raises(botocore.exceptions.ClientError) as error:
        alice.change_password(OldPassword=GOOD, NewPassword=listed)
    assert code_of(error) == "PasswordPolicyViolation"
    client.update_login_profile(UserName="alice", PasswordResetRequired=True)
    browser = Browser(own.url)
    ticket = browser.password(ACCOUNT, "alice", GOOD)["ticket"]
    assert browser.new_password(ticket, GOOD, OTHER).told == "PasswordPolicyViolation"
    client.create_login_profile(UserName="bob", Password=listed + "x")
    # A bad list changes nothing, and a kill neither.
    bad = tmp_path / "bad.txt"
    bad.write_text(f"{sha1('a')}\npassword1\n")
    refused = own.run(noun, "password-blocklist", "load", str(bad), check=False)
    assert refused.returncode == 2 and "line 2" in refused.stderr
    own.kill()
    assert told("show")["hashes"] == 2002
    own.start()
    client = iam(own)
    with pytest.raises(botocore.exceptions.ClientError):
        client.update_login_profile(UserName="bob", Password=listed)
    assert [path.name for path in own.data_dir.glob("password-blocklist*")] == ["password-blocklist"]
    assert told("remove")["hashes"] == 0
    client.update_login_profile(UserName="bob", Password=listed)
    trail = [event["eventName"] for event in Wire(own.url, own.key()).follow(None)[0]]
    assert trail.count("LoadPasswordBlocklist") == 1 and trail.count("RemovePasswordBlocklist") == 1
    # A list that cannot be read lets nothing through.
    (own.data_dir / "password-blocklist").write_bytes(b"damaged")
    with pytest.raises(botocore.exceptions.ClientError) as error:
        client.update_login_profile(UserName="bob", Password=GOOD)
    assert code_of(error) == "ServiceUnavailable"
