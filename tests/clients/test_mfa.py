"""MFA devices and the sessions that are made with them.

What needs time to pass runs on a development server, whose clock is moved on.
"""

import concurrent.futures
import datetime
import json
import re
import struct
import zlib

import process
import pytest
import totp
from conftest import ACCOUNT, World, Principal, allow, document, paged, refused, trust
from process import Key

INVALID = "Authentication code for device is not valid."
WRONG_CODE = "MultiFactorAuthentication failed with invalid MFA one time pass code."
NOT_OWN = re.compile("^MultiFactorAuthentication failed, unable to validate MFA code")
GHOST = f"arn:aws:iam::{ACCOUNT}:mfa/ghost"
CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "789012"}


class Timed(World):
    """An account on a development server, and its clock."""

    def __init__(self, server):
        super().__init__(server, server.key(), ACCOUNT)
        self.shown = None
        self.advance(0)

    def advance(self, seconds):
        """Moves the clock to the middle of a step and on; it goes on from there by itself."""
        now = datetime.datetime.fromisoformat(self.server.set_clock(advance_seconds=seconds)).timestamp()
        self.shown = (now, datetime.datetime.now().timestamp())

    def now(self):
        """The server's time in seconds."""
        at, since = self.shown
        return at + datetime.datetime.now().timestamp() - since

    def device(self, name, **more):
        """A new device."""
        return totp.Device(self.iam.create_virtual_mfa_device(VirtualMFADeviceName=name, **more), self.now)

    def enabled(self, user, name=None):
        """A device that is a user's, and whose codes so far are of the past."""
        made = self.device(name or self.name("mfa"))
        self.iam.enable_mfa_device(UserName=user, **made.pair())
        self.advance(90)
        return made

    def session(self, principal, device=None, ahead=0):
        """The principal of a session, made with a code if a device is given."""
        made = principal.sts.get_session_token(**(device.factor(ahead) if device else {}))
        return Principal(self, Key.of(made["Credentials"]), principal.name, principal.arn)


@pytest.fixture
def timed(dev):
    return Timed(dev)


def png(picture):
    """Width, height and rows of bits of a picture; checks its sums."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", None
    while at < len(picture):
        length, kind = struct.unpack(">I4s", picture[at:at + 8])
        body = picture[at + 8:at + 8 + length]
        assert struct.unpack(">I", picture[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
            assert body[8:] == b"\1\0\0\0\0"
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    width, height = size
    rows = zlib.decompress(data)
    assert len(rows) == height * (width + 7 >> 3) + height
    return width, height, rows


def test_a_virtual_device_from_birth_to_death(world):
    iam, user, name = world.iam, world.user(allow("iam:*")), world.name("mfa")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Path="/x/", Tags=[{"Key": "a", "Value": "b"}])
    device = totp.Device(made)
    assert device.serial == world.arn(f"mfa/x/{name}")
    assert re.fullmatch(b"[A-Z2-7]{64}", device.seed)
    width, height, _ = png(device.picture)
    assert width == height > 200
    with refused("EntityAlreadyExists", 409, "MFADevice entity at the same path and name already exists."):
        iam.create_virtual_mfa_device(VirtualMFADeviceName=name.upper(), Path="/x/")
    other = totp.Device(iam.create_virtual_mfa_device(VirtualMFADeviceName=name))
    assert other.seed != device.seed
    listed = {found["SerialNumber"]: found for found in iam.list_virtual_mfa_devices()["VirtualMFADevices"]}
    assert {"SerialNumber": device.serial} == listed[device.serial]

    with refused("NoSuchEntity", 404):
        iam.enable_mfa_device(UserName=user.name, SerialNumber=GHOST, **CODES)
    with refused("NoSuchEntity", 404):
        iam.enable_mfa_device(UserName="ghost", **device.pair())
    with refused("InvalidAuthenticationCode", 403, INVALID):
        iam.enable_mfa_device(UserName=user.name, SerialNumber=device.serial, **CODES)
    with refused("InvalidAuthenticationCode", 403, INVALID):
        iam.enable_mfa_device(UserName=user.name, **device.pair(0, 0))
    iam.enable_mfa_device(UserName=user.name, **device.pair())
    with refused("EntityAlreadyExists", 409):
        iam.enable_mfa_device(UserName=user.name, **device.pair(1, 2))
    for found in (
        iam.list_mfa_devices(UserName=user.name)["MFADevices"][0], user.iam.list_mfa_devices()["MFADevices"][0],
        iam.get_mfa_device(UserName=user.name, SerialNumber=device.serial),
        user.iam.get_mfa_device(SerialNumber=device.serial),
    ):
        assert (found["UserName"], found["SerialNumber"]) == (user.name, device.serial)
        assert found["EnableDate"]
    statuses = {}
    for status in ("Assigned", "Unassigned", "Any"):
        found = iam.list_virtual_mfa_devices(AssignmentStatus=status)["VirtualMFADevices"]
        statuses[status] = {one["SerialNumber"]: one for one in found}
    assert device.serial in statuses["Assigned"] and device.serial not in statuses["Unassigned"]
    assert other.serial in statuses["Unassigned"] and other.serial not in statuses["Assigned"]
    assert {device.serial, other.serial} <= set(statuses["Any"])
    assert statuses["Assigned"][device.serial]["User"]["Arn"] == user.arn
    assert "Base32StringSeed" not in statuses["Assigned"][device.serial]
    paged(iam.list_virtual_mfa_devices, "VirtualMFADevices", [device.serial], lambda one: one["SerialNumber"])
    paged(iam.list_mfa_devices, "MFADevices", [device.serial], lambda one: one["SerialNumber"], UserName=user.name)

    with refused("NoSuchEntity", 404, "MFA Device invalid for user."):
        iam.deactivate_mfa_device(UserName="admin", SerialNumber=device.serial)
    with refused("NoSuchEntity", 404):
        iam.get_mfa_device(UserName=user.name, SerialNumber=other.serial)
    with refused("DeleteConflict", 409, "MFA VirtualDevice in use. Must deactivate first."):
        iam.delete_virtual_mfa_device(SerialNumber=device.serial)
    with refused("DeleteConflict", 409):
        iam.delete_user(UserName=user.name)
    # Whose device it is does not take it away without it.
    with refused("AccessDenied", 403):
        user.iam.deactivate_mfa_device(SerialNumber=device.serial)
    iam.deactivate_mfa_device(UserName=user.name, SerialNumber=device.serial)
    for serial in (device.serial, other.serial):
        iam.delete_virtual_mfa_device(SerialNumber=serial)
        with refused("NoSuchEntity", 404, f"VirtualMFADevice with serial number {serial} does not exist."):
            iam.delete_virtual_mfa_device(SerialNumber=serial)


def test_constraints(world):
    iam = world.iam
    for name, path in (("", "/"), ("a b", "/"), ("a", "//"), ("a", "x"), ("n" * 300, "/"), ("a", f"/{'p' * 500}/")):
        with refused("ValidationError", 400):
            iam.create_virtual_mfa_device(VirtualMFADeviceName=name, Path=path)
    for change in (
        {"SerialNumber": "short"}, {"SerialNumber": "s" * 257}, {"AuthenticationCode1": "12345"},
        {"AuthenticationCode2": "1234567"}, {"AuthenticationCode1": "12a456"}, {"UserName": ""},
    ):
        with refused("ValidationError", 400):
            iam.enable_mfa_device(**{"UserName": "admin", "SerialNumber": GHOST} | CODES | change)
    with refused("ValidationError", 400):
        iam.list_virtual_mfa_devices(AssignmentStatus="Perhaps")
    for change in ({"TokenCode": "12345"}, {"TokenCode": "abcdef"}, {"SerialNumber": "short"}):
        with refused("ValidationError", 400):
            world.sts.get_session_token(**{"SerialNumber": GHOST, "TokenCode": "123456"} | change)


def test_tags(world):
    iam, name = world.iam, world.name("mfa")
    serial = totp.Device(iam.create_virtual_mfa_device(VirtualMFADeviceName=name)).serial
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "a", "Value": "3"}])
    found = {tag["Key"]: tag["Value"] for tag in iam.list_mfa_device_tags(SerialNumber=serial)["Tags"]}
    assert found == {"a": "3", "b": "2"}
    paged(iam.list_mfa_device_tags, "Tags", ["b"], lambda tag: tag["Key"], SerialNumber=serial)
    with refused("InvalidInput", 400):
        iam.tag_mfa_device(SerialNumber=serial, Tags=[{"Key": "x", "Value": "1"}, {"Key": "x", "Value": "2"}])
    with refused("LimitExceeded", 409):
        for part in range(2):
            tags = [{"Key": f"k{part}-{number}", "Value": "v"} for number in range(49)]
            iam.tag_mfa_device(SerialNumber=serial, Tags=tags)
    iam.untag_mfa_device(SerialNumber=serial, TagKeys=["a", "none"])
    for call in (
        lambda: iam.tag_mfa_device(SerialNumber=GHOST, Tags=[{"Key": "a", "Value": "1"}]),
        lambda: iam.untag_mfa_device(SerialNumber=GHOST, TagKeys=["a"]),
        lambda: iam.list_mfa_device_tags(SerialNumber=GHOST),
    ):
        with refused("NoSuchEntity", 404):
            call()


def test_eight_devices_a_user(timed):
    timed.iam.create_user(UserName="bob")
    for _ in range(8):
        timed.enabled("bob")
    with refused("LimitExceeded", 409, "Cannot exceed quota for MFADevicesPerUser: 8"):
        timed.iam.enable_mfa_device(UserName="bob", **timed.device("ninth").pair())
    summary = timed.iam.get_account_summary()["SummaryMap"]
    assert (summary["MFADevices"], summary["MFADevicesInUse"], summary["AccountMFAEnabled"]) == (9, 8, 0)


def test_sessions_tell_whether_a_code_was_shown(timed):
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "NumericLessThan": {"aws:MultiFactorAuthAge": "300"}}
    bob = timed.user(allow("iam:ListUsers", **condition), allow("sts:AssumeRole"))
    device = timed.enabled(bob.name)
    with refused("AccessDenied", 403):
        bob.iam.list_users()
    shown = timed.session(bob, device)
    shown.iam.list_users()
    event = timed.event_of(shown.iam.list_users()["ResponseMetadata"]["RequestId"])
    assert event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] == "true"
    timed.advance(301)
    with refused("AccessDenied", 403):
        shown.iam.list_users()
    with refused("InvalidClientTokenId", 403):
        timed.session(bob).iam.list_users()

    guarded = timed.role(
        trust(f"arn:aws:iam::{ACCOUNT}:root", **condition), allow("iam:ListUsers", **condition), allow("sts:*"))
    with refused("AccessDenied", 403):
        bob.assume(guarded)
    made = bob.assume(guarded, **device.factor())
    # The code opens the role; its session has none, but the trail tells.
    with refused("AccessDenied", 403):
        made.iam.list_users()
    fresh = timed.session(bob, device, ahead=1)
    # The caller's factor opens the role, and stays behind.
    with refused("AccessDenied", 403):
        fresh.assume(guarded).iam.list_users()
    plain = timed.role(trust(f"arn:aws:iam::{ACCOUNT}:root"), allow("iam:ListUsers", **condition))
    with refused("AccessDenied", 403):
        made.assume(plain).iam.list_users()


def test_wrong_factors(timed):
    bob, ann = timed.user(), timed.user()
    device, anns = timed.enabled(bob.name), timed.enabled(ann.name)
    with refused("AccessDenied", 403, WRONG_CODE):
        bob.sts.get_session_token(SerialNumber=device.serial, TokenCode="000000")
    for factor in ({"SerialNumber": GHOST, "TokenCode": "123456"}, anns.factor()):
        with refused("AccessDenied", 403, NOT_OWN):
            bob.sts.get_session_token(**factor)
    for half in ({"SerialNumber": device.serial}, {"TokenCode": "123456"}):
        with refused("AccessDenied", 403, re.compile("must provide both")):
            bob.sts.get_session_token(**half)
    timed.session(bob, device)
    for ahead in (0, -1):
        with refused("AccessDenied", 403, WRONG_CODE):
            timed.session(bob, device, ahead)
    role = timed.role(trust(f"arn:aws:iam::{ACCOUNT}:root"))
    with refused("AccessDenied", 403, WRONG_CODE):
        bob.assume(role, **device.factor())


def test_wrong_codes_are_slowed_down(timed):
    bob = timed.user(allow("iam:ListUsers"))
    device = timed.enabled(bob.name)
    for _ in range(5):
        with refused("AccessDenied", 403, WRONG_CODE):
            bob.sts.get_session_token(SerialNumber=device.serial, TokenCode="000000")
    with refused("Throttling", 400):
        timed.session(bob, device)
    bob.iam.list_users()
    timed.advance(60)
    timed.session(bob, device)


def test_a_device_that_drifted(timed):
    bob = timed.user()
    device = timed.enabled(bob.name)
    with refused("AccessDenied", 403, WRONG_CODE):
        timed.session(bob, device, ahead=40)
    with refused("InvalidAuthenticationCode", 403, INVALID):
        timed.iam.resync_mfa_device(UserName=bob.name, **device.pair(40, 42))
    with refused("NoSuchEntity", 404):
        timed.iam.resync_mfa_device(UserName="admin", **device.pair(40, 41))
    timed.iam.resync_mfa_device(UserName=bob.name, **device.pair(40, 41))
    timed.session(bob, device, ahead=42)


def test_one_code_in_parallel(timed):
    bob = timed.user()
    device = timed.enabled(bob.name)
    factor = device.factor()

    def use(_):
        return bob.raw().call("sts", "GetSessionToken", **factor).status

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(use, range(200)))
    assert statuses.count(200) == 1 and set(statuses) <= {200, 400, 403}, statuses


def test_the_policy_that_forces_mfa(timed):
    """Mission row M12."""
    free = [
        "iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices",
        "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "sts:GetSessionToken",
    ]
    force = {"Effect": "Deny", "NotAction": free, "Resource": "*",
             "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}
    bob = timed.user(allow("*"), document(force))
    explicit = re.compile("with an explicit deny in an identity-based policy")
    with refused("AccessDenied", 403, explicit):
        bob.iam.list_users()
    device = totp.Device(bob.iam.create_virtual_mfa_device(VirtualMFADeviceName="bob"), timed.now)
    bob.iam.enable_mfa_device(UserName=bob.name, **device.pair())
    bob.iam.get_user()
    bob.iam.list_mfa_devices()
    bob.iam.list_virtual_mfa_devices()
    timed.advance(90)
    bob.iam.resync_mfa_device(UserName=bob.name, **device.pair())
    with refused("AccessDenied", 403, explicit):
        bob.iam.list_users()
    timed.advance(90)
    timed.session(bob, device).iam.list_users()


def test_root_has_devices(binary):
    """Mission row M1, as a server that was started again has it too."""
    with process.Server(binary, account=ACCOUNT) as server:
        world = World(server, server.key(), ACCOUNT)
        root = Principal(world, server.root_key(), "root", world.arn("root"))
        enable = {"UserName": "root", "SerialNumber": world.arn("mfa/root-account-mfa-device")}
        with refused("NoSuchEntity", 404):
            root.iam.enable_mfa_device(**enable, **CODES)
        device = totp.Device(root.iam.create_virtual_mfa_device(VirtualMFADeviceName="root-account-mfa-device"))
        with refused("NoSuchEntity", 404, "The user with name root cannot be found."):
            world.iam.enable_mfa_device(**enable, **CODES)
        with refused("InvalidAuthenticationCode", 403, INVALID):
            root.iam.enable_mfa_device(**enable, **CODES)
        root.iam.enable_mfa_device(UserName="root", **device.pair())
        assert world.iam.get_account_summary()["SummaryMap"]["AccountMFAEnabled"] == 1
        found = world.iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
        assert [one["User"]["Arn"] for one in found] == [world.arn("root")]
        used = device.factor(0)
        server.kill()
        server.start()
        world = World(server, server.key(), ACCOUNT)
        root = Principal(world, root.key, "root", root.arn)
        assert root.iam.list_mfa_devices()["MFADevices"][0]["SerialNumber"] == device.serial
        # The code that enabled it is used up after a restart too.
        with refused("AccessDenied", 403, WRONG_CODE):
            root.sts.get_session_token(**used)
        made = root.sts.get_session_token(**device.factor(1))
        shown = Principal(world, Key.of(made["Credentials"]), "root", root.arn)
        with refused("AccessDenied", 403):
            root.iam.deactivate_mfa_device(UserName="root", SerialNumber=device.serial)
        shown.iam.deactivate_mfa_device(UserName="root", SerialNumber=device.serial)
        world.check_notes()
        files = b"".join(path.read_bytes() for path in server.data_dir.rglob("*") if path.is_file())
        assert device.seed not in files and json.dumps(used["TokenCode"]).encode() not in files
