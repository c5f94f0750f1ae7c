"""Rows on MFA: devices, codes, and the sessions made with them."""

import base64
import json
import pathlib
import time

import process
import totp
from account_rows import report
from rows import ACCOUNT, row

PRINTED = (
    "aws iam enable-mfa-device --user-name root --serial-number "
    f"arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device --authentication-code1 123456 --authentication-code2 789012"
)


class Device:
    """A device made by the AWS CLI, with the seed that it wrote to a file."""

    def __init__(self, t, name, key=None):
        seed = pathlib.Path(t.home, f"{name}.txt")
        made = t.works("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", name, "--outfile", str(seed),
                       "--bootstrap-method", "Base32StringSeed", key=key)
        self.serial = made["VirtualMFADevice.SerialNumber"]
        t.check(not {"Base32StringSeed", "QRCodePNG"} & set(made["VirtualMFADevice"]), "the secrets are in the file alone")
        self.seed = seed.read_text().strip()
        self.t = t

    def code(self, ahead=0):
        return totp.code(self.seed, time.time() // totp.STEP + ahead)

    def enable(self, user, *ahead):
        one, two = ahead or (-1, 0)
        return ["iam", "enable-mfa-device", "--user-name", user, "--serial-number", self.serial,
                "--authentication-code1", self.code(one), "--authentication-code2", self.code(two)]

    def session(self, ahead=0):
        return ["sts", "get-session-token", "--serial-number", self.serial, "--token-code", self.code(ahead)]


@row("M1")
def root_device(t):
    """root's virtual MFA device, enabled by two true codes alone"""
    t.serve()
    root = t.server.root_key()
    t.fails("NoSuchEntity", PRINTED, key=root)
    t.nobody(PRINTED)
    picture = pathlib.Path(t.home, "qr.png")
    made = t.works("aws iam create-virtual-mfa-device --virtual-mfa-device-name root-account-mfa-device "
                   f"--outfile {picture} --bootstrap-method QRCodePNG", key=root)
    t.equal(made["VirtualMFADevice.SerialNumber"], f"arn:aws:iam::{ACCOUNT}:mfa/root-account-mfa-device", "its serial number")
    t.check(picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n", "the picture is a PNG")
    t.fails("InvalidAuthenticationCode", PRINTED, key=root)
    t.fails("NoSuchEntity", PRINTED)
    # Another device, for the seed of this one is in the picture.
    device = Device(t, "second-root-device", key=root)
    same = device.enable("root", 0, 0)
    t.fails("InvalidAuthenticationCode", *same, key=root)
    t.equal(t.works("iam", "get-account-summary")["SummaryMap.AccountMFAEnabled"], 0, "before")
    t.works(*device.enable("root"), key=root)
    t.equal(t.works("iam", "get-account-summary")["SummaryMap.AccountMFAEnabled"], 1, "after")
    t.fails("AccessDenied", *device.session(0), key=root)
    made = t.works(*device.session(1), key=root)
    t.works("iam", "list-mfa-devices", key=process.Key.of(made["Credentials"]))
    t.check(device.seed not in json.dumps(t.events()), "the seed is not in the trail")
    t.equal(report(t)["<root_account>"]["mfa_active"], "true", "mfa_active in root's row of the credential report")
    t.recorded("EnableMFADevice", userName="root", serialNumber=device.serial)


@row("M12")
def forced(t):
    """the policy that forces MFA, from the first device on"""
    t.serve()
    free = ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices",
            "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken"]

    def policy(operator):
        return {"Version": "2012-10-17", "Statement": {
            "Effect": "Deny", "NotAction": free, "Resource": "*",
            "Condition": {operator: {"aws:MultiFactorAuthPresent": "false"}}}}

    everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    key = t.user("alice", everything, policy("BoolIfExists"))
    refusal = "with an explicit deny in an identity-based policy"
    t.fails("AccessDenied", "iam", "list-users", key=key, text=refusal)
    device = Device(t, "alice", key=key)
    t.works(*device.enable("alice"), key=key)
    for command in ("get-user", "list-mfa-devices", "list-virtual-mfa-devices"):
        t.works("iam", command, key=key)
    t.fails("InvalidAuthenticationCode", "iam", "resync-mfa-device", "--user-name", "alice", "--serial-number",
            device.serial, "--authentication-code1", "123456", "--authentication-code2", "789012", key=key)
    t.fails("AccessDenied", "iam", "list-users", key=key, text=refusal)
    t.fails("AccessDenied", "iam", "deactivate-mfa-device", "--user-name", "alice", "--serial-number", device.serial, key=key)
    made = t.works(*device.session(1), key=key)
    session = process.Key.of(made["Credentials"])
    t.works("iam", "list-users", key=session)
    t.works("iam", "create-group", "--group-name", "by-mfa", key=session)
    # Plain `Bool` does not deny long-term keys, which have no such key in their context.
    t.works("iam", "list-users", key=t.user("bob", everything, policy("Bool")))


@row("M62")
def virtual_device(t):
    """virtual MFA: codes once each, wrong ones slowed down, resync"""
    t.serve()
    key = t.user("alice")
    device = Device(t, "alice")
    t.nobody(*device.enable("alice"))
    t.works(*device.enable("alice", -3, -2))
    t.equal(t.works("iam", "list-mfa-devices", "--user-name", "alice")["MFADevices.0.SerialNumber"], device.serial, "the list")
    resync = ["iam", "resync-mfa-device", "--user-name", "alice", "--serial-number", device.serial,
              "--authentication-code1", device.code(-1), "--authentication-code2", device.code(0)]
    t.works(*resync)
    t.fails("InvalidAuthenticationCode", *resync)
    once = device.session(1)
    t.works(*once, key=key)
    t.fails("AccessDenied", *once, key=key, text="invalid MFA one time pass code")
    wrong = ["sts", "get-session-token", "--serial-number", device.serial, "--token-code", "000000"]
    for _ in range(20):
        if t.aws(*wrong, key=key).code == "Throttling":
            break
    else:
        t.check(False, "wrong codes are slowed down")
    t.works("sts", "get-caller-identity", key=key)
    t.fails("DeleteConflict", "iam", "delete-virtual-mfa-device", "--serial-number", device.serial)
    t.works("iam", "deactivate-mfa-device", "--user-name", "alice", "--serial-number", device.serial)
    t.works("iam", "delete-virtual-mfa-device", "--serial-number", device.serial)


@row("M63")
def hardware_token(t):
    """hardware tokens: seeds that the operator imports, serial numbers as printed on them"""
    t.serve()
    key = t.user("alice")
    # The seed and the codes of RFC 4226, appendix D.
    seed, codes = "3132333435363738393031323334353637383930", ("755224", "287082", "359152", "969429", "338314")
    file = pathlib.Path(t.home, "tokens.csv")
    file.write_text(f"serial number,secret key,type\nGAHT12345678,{seed},hotp\nTIME-12345678,{seed},totp\n")

    def enable(serial, one, two):
        return ["iam", "enable-mfa-device", "--user-name", "alice", "--serial-number", serial,
                "--authentication-code1", one, "--authentication-code2", two]

    t.fails("NoSuchEntity", *enable("GAHT12345678", *codes[:2]))
    told = t.bailiwick("mfa", "import", str(file), "--format", "json").stdout
    t.equal(json.loads(told)["added"], 2, "imported")
    t.equal(json.loads(t.bailiwick("mfa", "import", str(file), "--format", "json").stdout)["added"], 0, "a second time")
    t.check(seed not in told, "the seed is not printed")
    t.fails("NoSuchEntity", *enable("GAHT12345679", *codes[:2]))
    t.fails("InvalidAuthenticationCode", *enable("GAHT12345678", codes[0], codes[2]))
    t.works(*enable("GAHT12345678", *codes[:2]))
    use = ["sts", "get-session-token", "--serial-number", "GAHT12345678", "--token-code"]
    t.works(*use, codes[3], key=key)
    t.fails("AccessDenied", *use, codes[3], key=key)
    t.fails("AccessDenied", *use, codes[2], key=key)
    t.works("iam", "deactivate-mfa-device", "--user-name", "alice", "--serial-number", "GAHT12345678")
    t.fails("AccessDenied", *use, codes[4], key=key, text="associated with this user")
    clock = [totp.code(base64.b32encode(bytes.fromhex(seed)).decode(), time.time() // totp.STEP + ahead) for ahead in (-1, 0)]
    t.works(*enable("TIME-12345678", *clock))
    t.equal(json.loads(t.bailiwick("mfa", "deactivate", "TIME-12345678", "--format", "json").stdout)["user"], "alice", "freed on the host")
    t.equal(t.works("iam", "list-mfa-devices", "--user-name", "alice")["MFADevices"], [], "none is left")
    names = [event["eventName"] for event in t.events()]
    t.check({"ImportMFADevices", "DeactivateMFADevice"} <= set(names), "the operator's verbs are in the trail")
