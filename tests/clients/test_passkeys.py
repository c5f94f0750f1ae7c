"""Passkeys and security keys, made and used by a device in software that knows only the standard."""

import json
import subprocess
import urllib.parse

import boto3
import process
import pytest
from authenticator import ALGORITHMS, BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, Authenticator, encoded
from conftest import ACCOUNT, config, refused
from signin import Browser
from signing import Wire

PASSWORD = "Right-Horse-7x!"
GUARDED = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "iam:CreateGroup",
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
    ],
}


@pytest.fixture(scope="module")
def own(binary):
    """A server of the module's own, with its data directory."""
    with process.Server(binary, account=ACCOUNT) as started:
        yield started


def iam(server, key=None):
    """An iam client."""
    key = key or server.key()
    return boto3.session.Session().client(
        "iam", region_name="us-east-1", endpoint_url=server.url, aws_access_key_id=key.id,
        aws_secret_access_key=key.secret, aws_session_token=key.token, config=config(),
    )


def page(server):
    """The address of the server as a browser has it: keys are bound to a name, not to a number."""
    return f"http://localhost:{urllib.parse.urlsplit(server.url).port}"


class Registrar:
    """Registers keys with a principal's credentials."""

    def __init__(self, server, key=None):
        self.server, self.wire = server, Wire(server.url, key or server.key())

    def options(self, user, name="key"):
        answer = self.wire.own("BeginPasskeyRegistration", UserName=user, MFADeviceName=name)
        assert answer.status == 200, answer.text
        return json.loads(answer.json()["CreationOptions"])

    def finish(self, user, credential):
        return self.wire.own("FinishPasskeyRegistration", UserName=user, Credential=json.dumps(credential))

    def register(self, user, *kind, name="key"):
        """A key that is a user's, and its serial number."""
        key = Authenticator(*kind, origin=page(self.server))
        answer = self.finish(user, key.create(self.options(user, name)))
        assert answer.status == 200, answer.text
        return key, answer.json()["SerialNumber"]


def user(server, name, policy=GUARDED):
    client = iam(server)
    client.create_user(UserName=name)
    client.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    client.create_login_profile(UserName=name, Password=PASSWORD)
    return client


def asked(server, name):
    """A browser whose password was right, and what it is asked for then."""
    browser = Browser(page(server))
    got = browser.password(ACCOUNT, name, PASSWORD)
    assert got.told == "factor-required", got.body
    return browser, got["ticket"], got["passkey"]


def shown(browser, ticket, assertion):
    return browser.step("factor", {"ticket": ticket, "passkey": assertion})


@pytest.mark.parametrize("attestation", ["none", "self", "packed", "fido-u2f"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_and_attestation(own, algorithm, attestation):
    if attestation == "fido-u2f" and algorithm != "ES256":
        pytest.skip("U2F has one algorithm")
    name = f"user-{algorithm}-{attestation}"
    client = user(own, name)
    key, serial = Registrar(own).register(name, algorithm, attestation)
    assert serial.startswith(f"arn:aws:iam::{ACCOUNT}:u2f/user/{name}/key-")
    devices = client.list_mfa_devices(UserName=name)["MFADevices"]
    assert [held["SerialNumber"] for held in devices] == [serial]
    browser, ticket, options = asked(own, name)
    got = shown(browser, ticket, key.get(options))
    assert got.told == "signed-in" and got["multiFactor"] is True, got.body
    iam(own, got.key).create_group(GroupName=f"group-{name}")
    with refused("AccessDenied", 403):
        made = client.create_access_key(UserName=name)["AccessKey"]
        iam(own, process.Key(made["AccessKeyId"], made["SecretAccessKey"])).create_group(GroupName="no")


def test_tm_f07_registrations_that_are_refused(own):
    user(own, "f07-registration")
    registrar = Registrar(own)

    def wrong(attestation="self", **changes):
        key = Authenticator("ES256", attestation, page(own))
        for name, value in changes.items():
            setattr(key, name, value)
        answer = registrar.finish("f07-registration", key.create(registrar.options("f07-registration")))
        assert (answer.status, answer.code) == (400, "PasskeyNotValid"), answer.text
        return answer.text

    assert "origin" in wrong(origin="https://evil.example")
    assert "origin" in wrong(origin=page(own) + "/")
    assert "origin" in wrong(origin=own.url)
    assert "relying party" in wrong(rp_id="evil.example")
    assert "touched" in wrong(flags=VERIFIED)
    assert "flags" in wrong(flags=PRESENT | BACKED_UP)
    options = registrar.options("f07-registration")
    # For another user, in two ways; another challenge; and a second time.
    user(own, "f07-other")
    key = Authenticator("ES256", "self", page(own))
    assert registrar.finish("f07-other", key.create(options)).code == "PasskeyNotValid"
    options["challenge"] = options["challenge"][:-4] + "AAAA"
    assert registrar.finish("f07-registration", key.create(options)).code == "PasskeyNotValid"
    made = key.create(registrar.options("f07-registration"))
    broken = made | {"response": made["response"] | {"attestationObject": made["response"]["attestationObject"][:-8] + "AAAAAAAA"}}
    assert registrar.finish("f07-registration", broken).code == "PasskeyNotValid"
    assert registrar.finish("f07-registration", made).code == "PasskeyNotValid"
    made = key.create(registrar.options("f07-registration"))
    assert registrar.finish("f07-registration", made).status == 200
    assert registrar.finish("f07-registration", made).code == "PasskeyNotValid"
    assert iam(own).list_mfa_devices(UserName="f07-other")["MFADevices"] == []
    # A key that is somebody's is nobody else's.
    made = key.create(registrar.options("f07-other"))
    assert registrar.finish("f07-other", made).code == "EntityAlreadyExists"


def test_tm_f07_assertions_that_are_refused(own):
    user(own, "f07-assertion")
    key, serial = Registrar(own).register("f07-assertion")

    def attempt(change=lambda key: None, again=lambda answer: answer):
        browser, ticket, options = asked(own, "f07-assertion")
        before = dict(vars(key))
        change(key)
        answer = again(key.get(options))
        vars(key).update({**before, "count": key.count})
        return shown(browser, ticket, answer), browser, ticket, answer

    def changed(**changes):
        return lambda key: vars(key).update(changes)

    # Between wrong ones a right one, so that no wait begins.
    for change in [
        changed(origin="https://evil.example"),
        changed(rp_id="evil.example"),
        changed(flags=VERIFIED),
        changed(flags=PRESENT | ELIGIBLE),
        changed(user_handle=b"somebody else"),
        changed(hide_count=True),
        changed(key=Authenticator().key),
    ]:
        assert attempt(change)[0].told == "InvalidFactor", change
        assert attempt()[0].told == "signed-in"
    # A copy of the device: its count is behind.
    key.count -= 2
    assert attempt()[0].told == "InvalidFactor"
    key.count += 5
    got, browser, ticket, answer = attempt()
    assert got.told == "signed-in"
    assert shown(browser, ticket, answer).told == "StaleSignIn"
    browser, ticket, _ = asked(own, "f07-assertion")
    assert shown(browser, ticket, answer).told == "InvalidFactor"
    failed = [event for event in Wire(own.url, own.key()).events(EventName="ConsoleLogin")
              if event["userIdentity"].get("userName") == "f07-assertion"]
    right = [event for event in failed if event["responseElements"] == {"ConsoleLogin": "Success"}]
    assert len(right) == 8 and len(failed) >= 17
    assert {event["additionalEventData"]["MFAIdentifier"] for event in right} == {serial}


def test_a_key_is_a_device_like_others(binary):
    settings = ["--passkey-rp-id", "example.org", "--passkey-origin", "https://iam.example.org"]
    with process.Server(binary, settings, account=ACCOUNT) as server:
        client = user(server, "alice")
        registrar = Registrar(server)
        key, second = (Authenticator(kind, "self", "https://iam.example.org") for kind in ("ES256", "EdDSA"))
        options = registrar.options("alice", "blue+key")
        assert options["rp"]["id"] == "example.org"
        serial = registrar.finish("alice", key.create(options)).json()["SerialNumber"]
        assert ":u2f/user/alice/blue+key-" in serial
        client.create_user(UserName="bob")
        with refused("NoSuchEntity", 404):
            client.deactivate_mfa_device(UserName="bob", SerialNumber=serial)
        with refused("NoSuchEntity", 404):
            client.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "a", "Value": "b"}])
        with refused("InvalidAuthenticationCode", 403):
            client.resync_mfa_device(UserName="alice", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="123457")
        assert client.list_virtual_mfa_devices()["VirtualMFADevices"] == []
        summary = client.get_account_summary()["SummaryMap"]
        assert (summary["MFADevices"], summary["MFADevicesInUse"]) == (1, 1)
        client.generate_credential_report()
        report = client.get_credential_report()["Content"].decode().splitlines()
        line = dict(zip(report[0].split(","), next(line for line in report if line.startswith("alice,")).split(",")))
        assert line["mfa_active"] == "true"
        client.delete_user_policy(UserName="alice", PolicyName="p")
        client.delete_login_profile(UserName="alice")
        with refused("DeleteConflict", 409):
            client.delete_user(UserName="alice")
        event = next(iter(Wire(server.url, server.key()).events(EventName="EnableMFADevice")))
        assert event["eventSource"] == "iam.amazonaws.com"
        assert event["responseElements"]["serialNumber"] == serial

        # Nothing of it is lost when the server is killed, and a registration that was begun goes on.
        made = second.create(registrar.options("alice", "second"))
        server.kill()
        server.start()
        client, registrar = iam(server), Registrar(server)
        shown_device = client.get_mfa_device(UserName="alice", SerialNumber=serial)
        assert shown_device["UserName"] == "alice" and "Certifications" not in shown_device
        assert registrar.finish("alice", made).status == 200
        assert len(client.list_mfa_devices(UserName="alice")["MFADevices"]) == 2
        client.create_login_profile(UserName="alice", Password=PASSWORD)
        for held in (key, second):
            browser, ticket, options = asked(server, "alice")
            assert options["rpId"] == "example.org" and len(options["allowCredentials"]) == 2
            assert shown(browser, ticket, held.get(options)).told == "signed-in"
        # The count of signatures is kept as well.
        server.kill()
        server.start()
        client = iam(server)
        key.count -= 1
        browser, ticket, options = asked(server, "alice")
        assert shown(browser, ticket, key.get(options)).told == "InvalidFactor"
        for held in client.list_mfa_devices(UserName="alice")["MFADevices"]:
            client.deactivate_mfa_device(UserName="alice", SerialNumber=held["SerialNumber"])
        assert client.list_mfa_devices(UserName="alice")["MFADevices"] == []


def test_tm_f06_who_has_a_key_needs_it_for_another(own):
    client = user(own, "f06")
    made = client.create_access_key(UserName="f06")["AccessKey"]
    stolen = process.Key(made["AccessKeyId"], made["SecretAccessKey"])
    key, serial = Registrar(own).register("f06")
    answer = Registrar(own, stolen).wire.own("BeginPasskeyRegistration", MFADeviceName="mine")
    assert answer.code == "AccessDeniedException" and "without MFA" in answer.text
    with refused("AccessDenied", 403):
        iam(own, stolen).deactivate_mfa_device(UserName="f06", SerialNumber=serial)
    browser, ticket, options = asked(own, "f06")
    session = browser.step("factor", {"ticket": ticket, "passkey": key.get(options)}).key
    second, other = Registrar(own, session).register("f06", "EdDSA")
    iam(own, session).deactivate_mfa_device(UserName="f06", SerialNumber=other)
    _, _, options = asked(own, "f06")
    assert [held["id"] for held in options["allowCredentials"]] == [encoded(key.credential_id)]
    assert second.credential_id != key.credential_id


def test_who_may_register(own):
    nobody = user(own, "nobody", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
    made = nobody.create_access_key(UserName="nobody")["AccessKey"]
    key = process.Key(made["AccessKeyId"], made["SecretAccessKey"])
    answer = Wire(own.url, key).own("BeginPasskeyRegistration", MFADeviceName="key")
    assert answer.code == "AccessDeniedException" and "iam:EnableMFADevice" in answer.text
    answer = Wire(own.url, own.key()).own("BeginPasskeyRegistration", UserName="ghost", MFADeviceName="key")
    assert (answer.status, answer.code) == (404, "NoSuchEntity")
    for name in ["", "a b", "a/b", "x" * 65]:
        answer = Wire(own.url, own.key()).own("BeginPasskeyRegistration", MFADeviceName=name)
        assert answer.code.startswith("Validation"), answer.text


@pytest.mark.parametrize("options", [
    ["--passkey-rp-id", "example.org"],
    ["--passkey-origin", "https://example.org"],
    ["--passkey-rp-id", "example.org", "--passkey-origin", "https://example.com"],
    ["--passkey-rp-id", "example.org", "--passkey-origin", "http://example.org"],
    ["--passkey-rp-id", "127.0.0.1", "--passkey-origin", "http://127.0.0.1"],
])
def test_settings_are_checked_at_the_start(binary, tmp_path, options):
    command = [binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"), *options]
    done = subprocess.run(command, env=process.clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "passkey" in done.stderr, done.stderr
    assert not (tmp_path / "data").exists()
