"""Rotation and hygiene from the command line: against a server of their own, as an administrator runs them."""

import configparser
import datetime
import json
import os
import stat

import pytest

import commandline
import process
import signin
from conftest import allow


class Bench(commandline.Bench):
    """Beside a server, as its administrator."""

    def run(self, *words, key=None, code=0):
        """Runs a verb; its exit code must be as said."""
        environment = (key or self.server.key()).environment() | {"AWS_ENDPOINT_URL": self.server.url}
        done = self.server.run(*words, check=False, environment=environment)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def json(self, *words, **more):
        """Runs a verb and reads its answer."""
        return json.loads(self.run(*words, "--format", "json", **more).stdout)

    def keys(self, name):
        """The keys of a user with their states."""
        found = self.iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        return {key["AccessKeyId"]: key["Status"] for key in found}

    def tags(self, name):
        """The tags of a user."""
        return {tag["Key"]: tag["Value"] for tag in self.iam.list_user_tags(UserName=name)["Tags"]}

    def profile(self, path, name="default"):
        """The key of a profile of a credentials file."""
        found = configparser.RawConfigParser()
        found.read(path)
        return process.Key(found[name]["aws_access_key_id"], found[name]["aws_secret_access_key"])

    def file(self, name, text, mode=0o600):
        """A file in the home."""
        path = self.home / name
        path.write_text(text)
        path.chmod(mode)
        return path


@pytest.fixture(scope="module")
def own(binary):
    """One server for the module."""
    with process.Server(binary) as started:
        yield started


@pytest.fixture
def bench(own, tmp_path):
    return Bench(own, tmp_path)


def credentials(key, profile="default"):
    return f"[{profile}]\naws_access_key_id = {key.id}\naws_secret_access_key = {key.secret}\nregion = eu-west-1\n"


# Rotation: mission row M34.


def rotate(user, place, *more):
    return ["keys", "rotate", "--user-name", user, "--store", str(place), *more]


def test_a_rotation_from_the_first_step_to_the_last(bench):
    old = bench.user("rotated")
    store = bench.file("credentials", "# ours\n[other]\nx = 1\n" + credentials(old, "app"))
    proof = bench.home / "tested"
    words = rotate("rotated", f"file:{store}#app", "--test", f"echo $AWS_ACCESS_KEY_ID $AWS_ENDPOINT_URL > {proof}",
                   "--quiet-for", "1s", "--grace", "2s")
    dry = bench.run(*words, "--dry-run")
    assert f"would create a second key beside {old.id}" in dry.stdout
    assert bench.keys("rotated") == {old.id: "Active"} and not proof.exists()
    told = bench.json(*words)
    assert told["state"] == "inactive" and told["user"] == "rotated"
    new = bench.profile(store, "app")
    assert proof.read_text().split() == [new.id, bench.server.url]
    assert bench.keys("rotated") == {old.id: "Inactive", new.id: "Active"}
    assert "# ours\n[other]\nx = 1\n" in store.read_text() and "eu-west-1" in store.read_text()
    assert stat.S_IMODE(os.stat(store).st_mode) == 0o600
    assert bench.client("sts", new).get_caller_identity()["Arn"].endswith("user/rotated")
    assert new.secret not in json.dumps(told)
    # The next run goes on, and deletes after the grace.
    process.wait_for(lambda: bench.json(*words)["state"] == "done", "the grace to be over", 20)
    assert bench.keys("rotated") == {new.id: "Active"} and bench.tags("rotated") == {}
    # And the next rotation takes the next turn.
    bench.run(*words[:-2], "--grace", "0s")
    assert list(bench.keys("rotated")) == [bench.profile(store, "app").id] != [new.id]


def test_a_failed_test_changes_nothing(bench):
    old = bench.user("unlucky")
    store = bench.file("credentials", credentials(old))
    done = bench.run(*rotate("unlucky", f"file:{store}", "--test", "exit 7"), code=1)
    assert "`exit 7` ended with exit status: 7" in done.stderr
    assert bench.keys("unlucky") == {old.id: "Active"} and bench.tags("unlucky") == {}
    assert bench.profile(store).id == old.id
    # So does a store that cannot be written.
    done = bench.run(*rotate("unlucky", "exec:exit 3"), code=1)
    assert "could not be stored" in done.stderr and bench.keys("unlucky") == {old.id: "Active"}
    # A profile with somebody else's key is not overwritten.
    other = bench.file("other", credentials(process.Key("AKIAQQQQQQQQQQQQQQQQ", "x" * 40)))
    assert "is not the key" in bench.run(*rotate("unlucky", f"file:{other}"), code=2).stderr
    # A file that everybody may read takes no secret.
    store.chmod(0o644)
    assert "chmod" in bench.run(*rotate("unlucky", f"file:{store}"), code=2).stderr
    assert bench.keys("unlucky") == {old.id: "Active"}


def test_an_old_key_in_use_stops_the_rotation(bench):
    old = bench.user("busy")
    out = bench.home / "out"
    words = rotate("busy", f"exec:cat > {out}", "--quiet-for", "2s", "--grace", "0s", "--wait", "1s")
    # The new key is in its place; the program with the old one does not know yet.
    bench.run(*words, code=1)
    new = json.loads(out.read_text())
    assert new["Version"] == 1 and new["UserName"] == "busy"
    bench.client("sts", old).get_caller_identity()
    done = bench.run(*words, code=1)
    assert f"the old key {old.id} is still used, last at " in done.stderr and "Boto3" in done.stderr
    assert "for sts in us-east-1 from 127.0.0.1" in done.stderr
    assert bench.keys("busy") == {old.id: "Active", new["AccessKeyId"]: "Active"}
    # The old key is no caller of its own end.
    bench.iam.attach_user_policy(UserName="busy", PolicyArn="arn:aws:iam::aws:policy/IAMFullAccess")
    assert "calls with the old key" in bench.run(*words, key=old, code=1).stderr
    done = bench.run(*rotate("busy", f"exec:cat > {out}", "--quiet-for", "1s", "--grace", "0s"))
    assert "is deleted" in done.stdout
    assert bench.keys("busy") == {new["AccessKeyId"]: "Active"}


def test_a_key_that_is_still_tried_is_not_deleted(bench):
    old = bench.user("tried")
    words = rotate("tried", f"exec:cat > {bench.home / 'out'}", "--quiet-for")
    bench.run(*words, "0s", "--grace", "1h")
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        bench.client("sts", old).get_caller_identity()
    done = bench.run(*words, "1h", "--grace", "0s", code=1)
    assert "is inactive since" in done.stderr and "was tried at" in done.stderr and "from 127.0.0.1" in done.stderr
    assert bench.keys("tried")[old.id] == "Inactive"
    bench.run(*words, "0s", "--grace", "0s")
    assert old.id not in bench.keys("tried")


def test_a_run_that_ended_in_the_middle(bench):
    old = bench.user("interrupted")
    lost = bench.iam.create_access_key(UserName="interrupted")["AccessKey"]["AccessKeyId"]
    note = f"{old.id} {lost} created 2026-01-01T00:00:00Z"
    bench.iam.tag_user(UserName="interrupted", Tags=[{"Key": "bailiwick:key-rotation", "Value": note}])
    store = bench.file("credentials", credentials(old))
    done = bench.run(*rotate("interrupted", f"file:{store}", "--quiet-for", "0s", "--grace", "0s"))
    assert f"made the key {lost} and ended before it was stored" in done.stdout
    assert list(bench.keys("interrupted")) == [bench.profile(store).id] != [lost]


def test_two_keys_leave_no_room(bench):
    old = bench.user("full")
    second = bench.iam.create_access_key(UserName="full")["AccessKey"]["AccessKeyId"]
    done = bench.run(*rotate("full", f"file:{bench.home / 'c'}"), code=1)
    assert "a rotation needs room" in done.stderr and "delete-access-key --user-name full" in done.stderr
    assert old.id in done.stderr and second in done.stderr and "never used" in done.stderr
    assert len(bench.keys("full")) == 2
    bench.iam.create_user(UserName="keyless")
    assert "has no access key" in bench.run(*rotate("keyless", "exec:cat"), code=2).stderr


def test_users_rotate_their_own_keys(bench):
    own = allow("iam:CreateAccessKey", "iam:ListAccessKeys", "iam:UpdateAccessKey", "iam:DeleteAccessKey",
                "iam:GetAccessKeyLastUsed", "iam:GetUser", "iam:TagUser", "iam:UntagUser", "iam:ListUserTags",
                resource="arn:aws:iam::*:user/${aws:username}")
    key = bench.user("selfish", own)
    store = bench.file("credentials", credentials(key))
    words = ["keys", "rotate", "--store", f"file:{store}", "--quiet-for", "1s", "--grace", "0s"]
    assert "is deleted" in bench.run(*words, key=key).stdout
    assert list(bench.keys("selfish")) == [bench.profile(store).id] != [key.id]
    # A user without permission is refused in AWS's words, and nothing is done.
    nobody = bench.user("nobody-rotates")
    done = bench.run(*rotate("selfish", f"file:{store}"), key=nobody, code=1)
    assert "AccessDenied" in done.stderr and len(bench.keys("selfish")) == 1


# Leavers: mission row M39.

TRUST = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole"}}


def trusting(*arns):
    return json.dumps(TRUST | {"Statement": TRUST["Statement"] | {"Principal": {"AWS": list(arns)}}})


def test_a_leaver_can_do_nothing_and_comes_back(bench):
    alice = bench.user("alice", allow("*"))
    bob = bench.user("bob", allow("*"))
    arn = "arn:aws:iam::123456789012:user/alice"
    bench.iam.create_group(GroupName="writers")
    bench.iam.add_user_to_group(GroupName="writers", UserName="alice")
    bench.iam.create_login_profile(UserName="alice", Password="Abc-123-def-456")
    bench.iam.create_role(RoleName="shared", AssumeRolePolicyDocument=trusting(arn, arn.replace("alice", "bob")))
    bench.iam.create_role(RoleName="apart", AssumeRolePolicyDocument=trusting(arn.replace("alice", "bob")))
    bench.iam.put_role_policy(RoleName="shared", PolicyName="all", PolicyDocument=json.dumps(allow("iam:ListUsers")))
    bench.iam.create_policy(PolicyName="about-alice", PolicyDocument=json.dumps(allow("iam:GetUser", resource=arn)))
    bench.iam.create_policy(PolicyName="about-alicent",
                            PolicyDocument=json.dumps(allow("iam:GetUser", resource=arn + "nt")))
    service = bench.iam.create_service_specific_credential(UserName="alice", ServiceName="codecommit.amazonaws.com")
    service = service["ServiceSpecificCredential"]["ServiceSpecificCredentialId"]
    hers = bench.client("sts", alice).assume_role(RoleArn="arn:aws:iam::123456789012:role/shared", RoleSessionName="hers")
    his = bench.client("sts", bob).assume_role(RoleArn="arn:aws:iam::123456789012:role/shared", RoleSessionName="his")
    token = process.Key.of(bench.client("sts", alice).get_session_token()["Credentials"])
    hers, his = process.Key.of(hers["Credentials"]), process.Key.of(his["Credentials"])
    for key in (hers, his):
        bench.client("iam", key).list_users()
    bench.client("sts", token).get_caller_identity()

    dry = bench.json("offboard", "alice", "--dry-run")
    assert dry["dryRun"] and bench.keys("alice") == {alice.id: "Active"}
    record = bench.home / "alice.json"
    told = bench.json("offboard", "alice", "--record", str(record))
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert told["changes"] == dry["changes"] == json.loads(record.read_text())["changes"]
    kinds = [change["kind"] for change in told["changes"]]
    assert kinds == ["deny-all", "access-key", "password", "role-sessions", "service-credential"]
    owned = told["owned"]
    assert owned["groups"] == ["writers"] and owned["inlinePolicies"] == ["p0"]
    assert owned["rolesThatTrustHer"] == ["shared"]
    assert owned["policiesThatNameHer"] == ["arn:aws:iam::123456789012:policy/about-alice"]
    assert [key["id"] for key in owned["accessKeys"]] == [alice.id] and owned["accessKeys"][0]["lastUsed"]

    # Nothing of hers works; his session of the same role does.
    def refused(key, service, call, code):
        with pytest.raises(Exception) as raised:
            getattr(bench.client(service, key), call)()
        assert raised.value.response["Error"]["Code"] == code

    refused(alice, "sts", "get_caller_identity", "InvalidClientTokenId")
    refused(hers, "iam", "list_users", "AccessDenied")
    refused(token, "sts", "get_session_token", "InvalidClientTokenId")
    bench.client("iam", his).list_users()
    assert bench.keys("alice") == {alice.id: "Inactive"}
    with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
        bench.iam.get_login_profile(UserName="alice")
    # A second run has nothing to take away but the policy, which is put again.
    again = bench.json("offboard", "alice", "--record", str(bench.home / "again.json"))
    assert [change["kind"] for change in again["changes"]] == ["deny-all", "role-sessions"]
    # A record is not overwritten.
    assert "cannot make the record" in bench.run("offboard", "alice", "--record", str(record), code=2).stderr

    # Back again, but for the password.
    undone = bench.run("offboard", "alice", "--undo", str(record)).stdout
    assert "the password is gone" in undone and f"given back: access key {alice.id}" in undone
    assert bench.client("sts", alice).get_caller_identity()["Arn"] == arn
    bench.client("iam", hers).list_users()
    found = bench.iam.list_service_specific_credentials(UserName="alice")["ServiceSpecificCredentials"]
    assert [(one["ServiceSpecificCredentialId"], one["Status"]) for one in found] == [(service, "Active")]
    assert bench.tags("alice") == {}
    assert bench.iam.list_user_policies(UserName="alice")["PolicyNames"] == ["p0"]

    # For good only after she was offboarded.
    assert "is not offboarded" in bench.run("offboard", "alice", "--delete", code=1).stderr
    bench.run("offboard", "alice", "--record", str(bench.home / "last.json"))
    bench.run("offboard", "alice", "--delete")
    with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
        bench.iam.get_user(UserName="alice")
    # Somebody of her name who comes later is another.
    bench.iam.create_user(UserName="alice")
    assert "is about alice" in bench.run("offboard", "alice", "--undo", str(record), code=2).stderr


def test_what_cannot_be_taken_away_keeps_nothing_else(bench):
    key = bench.user("crammed")
    bench.iam.create_login_profile(UserName="crammed", Password="Abc-123-def-456")
    # Inline policies have no room left, so that the one that forbids everything finds none.
    full = json.dumps(allow("s3:GetObject"), separators=(",", ":"))
    room = 2048 - len("".join(full.split()))
    full = full.replace("s3:GetObject", "s3:GetObject" + "*" * room)
    bench.iam.put_user_policy(UserName="crammed", PolicyName="full", PolicyDocument=full)
    record = str(bench.home / "crammed.json")
    told = bench.run("offboard", "crammed", "--record", record, code=1).stderr
    assert "not complete" in told and "LimitExceeded" in told and "2 of 3 steps" in told
    assert bench.keys("crammed") == {key.id: "Inactive"}
    with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
        bench.iam.get_login_profile(UserName="crammed")
    bench.iam.delete_user_policy(UserName="crammed", PolicyName="full")
    bench.run("offboard", "crammed", "--record", record + ".2")
    bench.run("offboard", "crammed", "--delete")


def test_nobody_offboards_herself_or_without_permission(bench):
    key = bench.user("self-leaver", allow("iam:*"))
    assert "a key of self-leaver" in bench.run("offboard", "self-leaver", key=key, code=2).stderr
    nobody = bench.user("no-leaver")
    assert "AccessDenied" in bench.run("offboard", "self-leaver", key=nobody, code=1).stderr
    assert "NoSuchEntity" in bench.run("offboard", "no-such-user", code=1).stderr
    assert bench.keys("self-leaver") == {key.id: "Active"}


# What nobody uses: mission rows M37, M40 and M41.


def unused(bench, *words, code=1, **more):
    """What an audit finds, by kind and name."""
    told = bench.json("audit", "unused", *words, code=code, **more)
    return {(one["kind"], one["name"]): one for one in told["unused"]}


def test_what_is_unused_goes_in_two_steps(binary, tmp_path):
    with process.Server(binary) as server:
        bench = Bench(server, tmp_path)
        later = ["--as-of", "2200-01-01T00:00:00Z"]
        never, used = bench.user("never"), bench.user("used")
        bench.iam.create_login_profile(UserName="never", Password="Abc-123-def-456")
        bench.client("sts", used).get_caller_identity()
        arn = bench.iam.create_policy(PolicyName="loose", PolicyDocument=json.dumps(allow("s3:*")))["Policy"]["Arn"]
        bench.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(allow("s3:Get*")), SetAsDefault=True)
        held = bench.iam.create_policy(PolicyName="held", PolicyDocument=json.dumps(allow("s3:*")))["Policy"]["Arn"]
        trust = trusting("arn:aws:iam::123456789012:root")
        bench.iam.create_role(RoleName="idle", AssumeRolePolicyDocument=trust)
        bench.iam.attach_role_policy(RoleName="idle", PolicyArn=held)
        bench.iam.create_instance_profile(InstanceProfileName="idle")
        bench.iam.add_role_to_instance_profile(InstanceProfileName="idle", RoleName="idle")
        bench.iam.create_service_linked_role(AWSServiceName="autoscaling.amazonaws.com")
        bench.iam.create_group(GroupName="empty")
        bench.iam.create_group(GroupName="full")
        bench.iam.add_user_to_group(GroupName="full", UserName="used")

        # Today all is young: only what hangs on nothing is told, and nothing is touched.
        assert set(unused(bench)) == {("policy", arn), ("group", "empty")}
        assert not any(one["old"] for one in unused(bench).values())
        assert not any("done" in one for one in unused(bench, "--apply", code=0).values())

        found = unused(bench, *later)
        assert ("access-key", never.id) in found and found["access-key", never.id]["lastUsed"] is None
        assert found["access-key", used.id]["lastUsed"] and found["access-key", used.id]["created"]
        assert {("password", "never"), ("role", "idle"), ("policy", arn), ("group", "empty")} <= set(found)
        assert not any(name.startswith("AWSServiceRole") or name in (held, "full") for _, name in found)
        # By last use, not by the day it was made: the key that was just used is no year old.
        text = bench.run("audit", "unused", *later, code=1).stdout
        assert f"{never.id} of never, never used" in text and f"{used.id} of used, last used 2" in text

        # The key that calls is one of them: the clock of this test lies far ahead.
        bench.iam.tag_user(UserName="admin", Tags=[
            {"Key": f"bailiwick:unused/{server.key().id}", "Value": "2199-12-31T00:00:00Z"},
            {"Key": "bailiwick:unused/password", "Value": "2199-12-31T00:00:00Z"}])
        bench.iam.update_access_key(UserName="used", AccessKeyId=used.id, Status="Active")
        done = unused(bench, *later, "--apply", code=0)
        told = {what: one.get("done") for what, one in done.items()}
        assert told["access-key", never.id] == "deactivated" == told["role", "idle"]
        assert told["password", "never"] == "marked" == told["policy", arn]
        assert told["group", "empty"] is None
        assert told["access-key", server.key().id] == "released"
        assert bench.keys("never") == {never.id: "Inactive"}
        assert bench.tags("never")[f"bailiwick:unused/{never.id}"] == "2200-01-01T00:00:00Z"
        assert "BailiwickUnused" in bench.iam.list_role_policies(RoleName="idle")["PolicyNames"]
        bench.iam.get_login_profile(UserName="never")

        # A run before the grace is over waits; what somebody activated meanwhile is left alone.
        bench.iam.update_access_key(UserName="used", AccessKeyId=used.id, Status="Active")
        bench.iam.tag_user(UserName="admin", Tags=[
            {"Key": f"bailiwick:unused/{server.key().id}", "Value": "2199-12-31T00:00:00Z"}])
        soon = unused(bench, "--as-of", "2200-01-15T00:00:00Z", "--apply", code=0)
        assert soon["access-key", never.id]["done"] == "waiting" and soon["access-key", used.id]["done"] == "released"
        assert f"bailiwick:unused/{used.id}" not in bench.tags("used")
        bench.iam.tag_user(UserName="admin", Tags=[
            {"Key": f"bailiwick:unused/{server.key().id}", "Value": "2199-12-31T00:00:00Z"}])
        last = unused(bench, "--as-of", "2200-02-15T00:00:00Z", "--apply", "--grace", "30d", code=0)
        told = {what: one.get("done") for what, one in last.items()}
        for what in (("access-key", never.id), ("password", "never"), ("role", "idle"), ("policy", arn)):
            assert told[what] == "deleted", what
        assert bench.keys("never") == {} and bench.tags("never") == {}
        for gone in ("get_role", "get_login_profile"):
            with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
                getattr(bench.iam, gone)(**{"RoleName": "idle"} if gone == "get_role" else {"UserName": "never"})
        with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
            bench.iam.get_policy(PolicyArn=arn)
        bench.iam.get_policy(PolicyArn=held)


def test_an_audit_spares_its_own_key_and_what_somebody_wants_back(binary, tmp_path):
    with process.Server(binary) as server:
        bench = Bench(server, tmp_path)
        trust = trusting("arn:aws:iam::123456789012:root")
        for name in ("wanted", "idle"):
            bench.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
        arn = bench.iam.create_policy(PolicyName="loose", PolicyDocument=json.dumps(allow("s3:*")))["Policy"]["Arn"]
        run = ["--older-than", "30d", "--apply", "--grace", "30d", "--as-of"]
        first = unused(bench, *run, "2200-01-01T00:00:00Z", code=0)
        # The run needs the key that it calls with to the end.
        assert "done" not in first["access-key", server.key().id]
        assert bench.keys("admin") == {server.key().id: "Active"}
        assert first["role", "wanted"]["done"] == first["role", "idle"]["done"] == "deactivated"
        assert first["policy", arn]["done"] == "marked"
        # A role that may act again and a policy that is attached again lose their marks.
        bench.iam.delete_role_policy(RoleName="wanted", PolicyName="BailiwickUnused")
        bench.iam.attach_role_policy(RoleName="wanted", PolicyArn=arn)
        then = unused(bench, *run, "2200-03-01T00:00:00Z", code=0)
        assert then["role", "wanted"]["done"] == then["policy", arn]["done"] == "released"
        assert then["role", "idle"]["done"] == "deleted"
        assert bench.iam.list_role_tags(RoleName="wanted")["Tags"] == []
        assert bench.iam.list_policy_tags(PolicyArn=arn)["Tags"] == []
        assert ("policy", arn) not in unused(bench, "--as-of", "2200-03-02T00:00:00Z")


def test_the_key_of_a_console_user(binary, tmp_path):
    with process.Server(binary) as server:
        bench = Bench(server, tmp_path)
        lazy, busy = bench.user("lazy"), bench.user("busy")
        for name in ("lazy", "busy"):
            bench.iam.create_login_profile(UserName=name, Password="Abc-123-def-456")
            assert signin.Browser(server.url).password("123456789012", name, "Abc-123-def-456").told == "signed-in"
        bench.client("sts", busy).get_caller_identity()
        found = unused(bench)
        assert set(found) == {("console-user-key", lazy.id)}
        assert found["console-user-key", lazy.id]["command"].endswith(f"--access-key-id {lazy.id} --status Inactive")
        # An older one is told as unused, and its password by its last use.
        found = unused(bench, "--as-of", "2200-01-01T00:00:00Z")
        assert found["password", "lazy"]["lastUsed"] and ("access-key", lazy.id) in found


def test_an_audit_needs_permission(bench):
    nobody = bench.user("no-auditor")
    assert "AccessDenied" in bench.run("audit", "unused", key=nobody, code=1).stderr
    assert "AccessDenied" in bench.run("audit", "shared-keys", key=nobody, code=1).stderr
    assert "no length of time" in bench.run("audit", "unused", "--older-than", "soon", code=2).stderr


def test_one_key_in_several_programs_and_places(binary, tmp_path):
    with process.Server(binary, options=["--trusted-proxy", "127.0.0.1/32"]) as server:
        bench = Bench(server, tmp_path)
        shared, quiet = bench.user("shared"), bench.user("quiet")
        for address in ("192.0.2.7", "198.51.100.9"):
            client = bench.client("sts", shared)

            def pass_on(request, address=address, **_):
                request.headers["X-Forwarded-For"] = address

            client.meta.events.register("before-send.*", pass_on)
            client.get_caller_identity()
        bench.client("sts", quiet).get_caller_identity()
        found = bench.json("audit", "shared-keys", "--agents", "9", code=1)["sharedKeys"]
        assert [one["accessKeyId"] for one in found] == [shared.id]
        assert found[0]["networks"] == ["192.0.2.0/24", "198.51.100.0/24"] and found[0]["user"] == "shared"
        bench.run("audit", "shared-keys", "--agents", "9", "--networks", "3")


# Policies: mission rows M13, M27, M29, M43 and M76.


def test_an_inline_policy_becomes_a_managed_one_and_back(bench):
    texts = allow("s3:Get*", resource="arn:aws:s3:::homes/${aws:username}/*"), allow("iam:ListUsers")
    key = bench.user("inline", *texts)
    words = ["policy", "convert-inline", "--user-name", "inline", "--policy-name", "p0"]
    assert bench.json(*words, "--dry-run")["dryRun"]
    assert bench.iam.list_attached_user_policies(UserName="inline")["AttachedPolicies"] == []
    told = bench.json(*words)
    assert told["sameDecisions"] and told["requests"] > 10 and 0 < told["allowed"] < told["requests"]
    arn = "arn:aws:iam::123456789012:policy/p0"
    assert bench.iam.list_user_policies(UserName="inline")["PolicyNames"] == ["p1"]
    attached = bench.iam.list_attached_user_policies(UserName="inline")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [arn]
    assert bench.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"] == texts[0]
    bench.client("iam", key).list_users()
    # The name is taken now for another's policy of the same name.
    bench.user("inline-two", texts[1])
    other = [word.replace("inline", "inline-two") if word == "inline" else word for word in words]
    assert "--managed-name" in bench.run(*other, code=2).stderr
    assert bench.iam.list_user_policies(UserName="inline-two")["PolicyNames"] == ["p0"]
    # And back.
    assert bench.json(*words, "--undo")["sameDecisions"]
    assert bench.iam.get_user_policy(UserName="inline", PolicyName="p0")["PolicyDocument"] == texts[0]
    with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
        bench.iam.get_policy(PolicyArn=arn)
    assert "NoSuchEntity" in bench.run("policy", "convert-inline", "--user-name", "inline", "--policy-name", "px", code=1).stderr
    nobody = bench.user("no-converter")
    assert "AccessDenied" in bench.run(*words, key=nobody, code=1).stderr


def test_policies_move_to_a_group(bench):
    key = bench.user("mover", allow("iam:ListUsers"))
    bench.iam.attach_user_policy(UserName="mover", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    listed = bench.json("policy", "to-group", code=1)
    assert listed["check"] == "iam-user-no-policies"
    mine = next(user for user in listed["users"] if user["user"] == "mover")
    assert mine == {"user": "mover", "inline": ["p0"], "attached": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}
    told = bench.json("policy", "to-group", "--user-name", "mover", "--group-name", "movers")
    assert told["sameDecisions"] and told["allowed"] > 0
    assert bench.iam.list_user_policies(UserName="mover")["PolicyNames"] == []
    assert bench.iam.list_attached_user_policies(UserName="mover")["AttachedPolicies"] == []
    assert bench.iam.list_group_policies(GroupName="movers")["PolicyNames"] == ["p0"]
    assert len(bench.iam.list_attached_group_policies(GroupName="movers")["AttachedPolicies"]) == 1
    bench.client("iam", key).list_users()
    assert not any(user["user"] == "mover" for user in bench.json("policy", "to-group", code=1)["users"])
    assert "no policies of their own" in bench.run("policy", "to-group", "--user-name", "mover").stdout
    # An older group may have members who would gain.
    bench.user("late", allow("iam:ListRoles"))
    done = bench.run("policy", "to-group", "--user-name", "late", "--group-name", "movers", code=1)
    assert "EntityAlreadyExists" in done.stderr
    assert bench.iam.list_user_policies(UserName="late")["PolicyNames"] == ["p0"]


def test_the_groups_of_the_quickstart(bench):
    dry = bench.json("quickstart", "groups", "--dry-run")
    assert dry["dryRun"] and len(dry["made"]) == 7
    with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
        bench.iam.get_group(GroupName="developers")
    assert bench.json("quickstart", "groups")["made"] == dry["made"]
    assert bench.json("quickstart", "groups")["made"] == []
    key = bench.user("dora")
    bench.iam.add_user_to_group(GroupName="developers", UserName="dora")
    for call in ("list_users", "list_roles", "get_account_summary"):
        with pytest.raises(Exception) as raised:
            getattr(bench.client("iam", key), call)()
        assert raised.value.response["Error"]["Code"] == "AccessDenied"
    found = bench.iam.simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::123456789012:user/dora", ActionNames=["s3:CreateBucket", "iam:CreateUser"])
    assert [one["EvalDecision"] for one in found["EvaluationResults"]] == ["allowed", "implicitDeny"]
    groups = {group: [policy["PolicyName"] for policy in
                      bench.iam.list_attached_group_policies(GroupName=group)["AttachedPolicies"]]
              for group in ("admins", "developers", "finance")}
    assert groups == {"admins": ["AdministratorAccess"], "developers": ["QuickstartDevelopers"], "finance": ["Billing"]}


def test_a_user_for_a_program_of_others(bench):
    words = ["quickstart", "third-party", "--name", "wordpress", "--bucket", "wordpress-media", "--source-ip", "203.0.113.0/24"]
    assert len(bench.json(*words)["made"]) == 3
    assert "rotate-by" in bench.tags("wordpress") and bench.keys("wordpress") == {}
    with pytest.raises(bench.iam.exceptions.NoSuchEntityException):
        bench.iam.get_login_profile(UserName="wordpress")
    ask = dict(PolicySourceArn="arn:aws:iam::123456789012:user/wordpress", ActionNames=["s3:PutObject"],
               ResourceArns=["arn:aws:s3:::wordpress-media/a"])
    for address, expected in (("203.0.113.9", "allowed"), ("198.51.100.9", "implicitDeny")):
        entries = [{"ContextKeyName": "aws:SourceIp", "ContextKeyType": "ip", "ContextKeyValues": [address]},
                   {"ContextKeyName": "aws:SecureTransport", "ContextKeyType": "boolean", "ContextKeyValues": ["true"]}]
        found = bench.iam.simulate_principal_policy(**ask, ContextEntries=entries)
        assert found["EvaluationResults"][0]["EvalDecision"] == expected, address
    assert "nothing was made" in bench.run(*words, code=1).stderr
    bench.run(*words[:-1], "0.0.0.0/0", code=2)


def test_what_is_legal_and_not_meant(bench):
    forced = {"Version": "2012-10-17", "Statement": {
        "Effect": "Deny", "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "sts:GetSessionToken"],
        "Resource": "*", "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}}}
    path = bench.file("mfa.json", json.dumps(forced))
    done = bench.run("policy", "lint", str(path), code=1)
    assert "mfa.json:1:40: warning: a user who must change the password" in done.stdout
    assert "[password-lock-out]" in done.stdout and "iam:ListVirtualMFADevices" in done.stdout
    fix = bench.json("policy", "lint", str(path), code=1)["findings"][0]["fix"]
    forced["Statement"]["NotAction"] = json.loads(fix.split(": ", 1)[1])
    assert bench.json("policy", "lint", str(bench.file("good.json", json.dumps(forced)))) == {"findings": []}
    hours = allow("s3:*", NumericLessThan={"bailiwick:TimeOfDay": "170000"})
    found = bench.json("policy", "lint", str(bench.file("hours.json", json.dumps(hours))))["findings"]
    assert [one["code"] for one in found] == ["extension-key"] and "not portable to AWS" in found[0]["message"]
    found = bench.json("policy", "lint", str(bench.file("bad.json", '{\n "Version": "2012-10-17",\n "Statment": []}')), code=1)
    assert [(one["code"], one["line"]) for one in found["findings"]] == [("refused", 3)]
    # On a live account: whoever must change the password and may not.
    bench.user("locked")
    bench.iam.create_login_profile(UserName="locked", Password="Abc-123-def-456", PasswordResetRequired=True)
    found = bench.json("policy", "lint", "--live", code=1)["findings"]
    arn = "arn:aws:iam::123456789012:user/locked"
    assert [one["code"] for one in found if one["place"] == arn] == ["password-lock-out"]
    bench.iam.attach_user_policy(UserName="locked", PolicyArn="arn:aws:iam::aws:policy/IAMUserChangePassword")
    found = bench.server.run("policy", "lint", "--live", "--format", "json", check=False,
                             environment=bench.server.key().environment() | {"AWS_ENDPOINT_URL": bench.server.url})
    assert not any(one["place"] == arn for one in json.loads(found.stdout)["findings"])


# Leaked keys: mission row M41.


def test_keys_in_files(bench):
    key = bench.user("leaker")
    tree = bench.home / "src"
    (tree / ".git").mkdir(parents=True)
    (tree / "app.py").write_text(f"# app\nKEY = '{key.id}'\nSECRET = '{key.secret}'\n")
    (tree / ".git" / "config").write_text(key.id)
    (tree / "clean.py").write_text("print('AKIA')\n")
    done = bench.run("scan", str(tree), "--keys", code=1)
    assert f"app.py:2:8: access key id {key.id}" in done.stdout and "app.py:3:11: secret access key " in done.stdout
    assert key.secret not in done.stdout and done.stdout.count("\n") == 2
    told = bench.json("scan", str(tree), "--keys", "--check", code=1)
    assert key.secret not in json.dumps(told)
    server = {one["kind"]: one.get("server") for one in told["findings"]}
    assert server["long-term"] == {"exists": True, "status": "Active", "user": "leaker", "lastUsed": None}
    bench.iam.update_access_key(UserName="leaker", AccessKeyId=key.id, Status="Inactive")
    assert "a key of leaker, Inactive" in bench.run("scan", str(tree), "--keys", "--check", code=1).stdout
    (tree / "app.py").write_text("KEY = 'AKIAQWERTYUIOPASDFGH'\n")
    assert "not a key of this account" in bench.run("scan", str(tree), "--keys", "--check", code=1).stdout
    sarif = json.loads(bench.run("scan", str(tree), "--keys", "--format", "sarif", code=1).stdout)
    assert sarif["version"] == "2.1.0" and sarif["runs"][0]["results"][0]["ruleId"] == "access-key-id"
    bench.run("scan", str(tree), "--keys", "--allow", "AKIAQWERTYUIOPASDFGH")
    bench.run("scan", str(tree / "nothing"), "--keys", code=2)
    nobody = bench.user("no-scanner")
    assert "not a key of this account" in bench.run("scan", str(tree), "--keys", "--check", key=nobody, code=1).stdout


# The age of keys: mission row M33.


def key_events(bench, key):
    """What the trail says of the key policy and a key."""
    # By name: whoever waits asks often, and each question is an event, too.
    found = [json.loads(line) for name in ("BailiwickKeyExpiring", "BailiwickKeyExpired")
             for line in bench.run("events", "--event-name", name, "--format", "json").stdout.splitlines()]
    return [event for event in found if event["requestParameters"]["accessKeyId"] == key.id]


def test_keys_end_at_their_age_on_the_clock_of_tests(dev, tmp_path):
    bench = Bench(dev, tmp_path)
    bench.iam.tag_user(UserName="admin", Tags=[{"Key": "long-lived", "Value": "yes"}])
    old, kept = bench.user("old"), bench.user("kept", Path="/service/")
    # Off by default: nothing ends.
    dev.set_clock(advance_seconds=400 * 86400)
    assert bench.keys("old") == {old.id: "Active"} and key_events(bench, old) == []
    dev.reset()
    bench = Bench(dev, tmp_path)
    bench.iam.tag_user(UserName="admin", Tags=[{"Key": "long-lived", "Value": "yes"}])
    old, kept = bench.user("old"), bench.user("kept", Path="/service/")
    limits = {"max_age": "90d", "warn": "14d", "exempt_paths": ["/service/"], "exempt_tags": ["long-lived=yes"]}
    dev._switch("key-policy", limits)
    with pytest.raises(AssertionError, match="shorter than the age"):
        dev._switch("key-policy", {"max_age": "14d", "warn": "14d"})
    dev.set_clock(advance_seconds=76 * 86400 - 60)
    assert key_events(bench, old) == []
    dev.set_clock(advance_seconds=120)
    found = key_events(bench, old)
    assert [event["eventName"] for event in found] == ["BailiwickKeyExpiring"]
    assert found[0]["userIdentity"] == {"type": "AWSService", "invokedBy": "bailiwick.amazonaws.com"}
    assert found[0]["requestParameters"]["userName"] == "old" and found[0]["requestParameters"]["status"] == "Active"
    bench.client("sts", old).get_caller_identity()
    dev.set_clock(advance_seconds=13 * 86400)
    assert bench.keys("old") == {old.id: "Active"}
    dev.set_clock(advance_seconds=2 * 86400)
    assert bench.keys("old") == {old.id: "Inactive"} and bench.keys("kept") == {kept.id: "Active"}
    with pytest.raises(Exception, match="InvalidClientTokenId"):
        bench.client("sts", old).get_caller_identity()
    dev.set_clock(advance_seconds=200 * 86400)
    assert [event["eventName"] for event in key_events(bench, old)] == ["BailiwickKeyExpiring", "BailiwickKeyExpired"]
    assert key_events(bench, kept) == []
    # Made active again it ends again; without a limit it stays.
    bench.iam.update_access_key(UserName="old", AccessKeyId=old.id, Status="Active")
    process.wait_for(lambda: bench.keys("old")[old.id] == "Inactive", "the key to end again", 10)
    dev._switch("key-policy", None)
    bench.iam.update_access_key(UserName="old", AccessKeyId=old.id, Status="Active")
    dev.set_clock(advance_seconds=300 * 86400)
    assert bench.keys("old") == {old.id: "Active"}


def test_a_limit_survives_a_restart_and_acts_once(binary, tmp_path):
    with process.Server(binary) as server:
        bench = Bench(server, tmp_path)
        # Two seconds old when the limit comes: it has the time of warning from then.
        old = bench.user("old")
        root = server.root_key()
        bench.iam.tag_user(UserName="admin", Tags=[{"Key": "long-lived", "Value": "yes"}])
        assert json.loads(server.run("admin", "key-policy", "show", "--format", "json").stdout)["key_policy"] == "none"
        server.run("admin", "key-policy", "set", "--max-age", "6s", "--warn", "5s", "--exempt-tag", "long-lived")
        process.wait_for(lambda: key_events(bench, old), "the announcement", 10)
        shown = json.loads(server.run("admin", "key-policy", "show", "--format", "json").stdout)
        assert shown["max_age"] == "6s" and [one["access_key_id"] for one in shown["next"]] == [old.id]
        assert shown["next"][0]["warned"] and shown["active_keys"] == 1
        server.kill()
        server.start()
        bench = Bench(server, tmp_path)
        process.wait_for(lambda: bench.keys("old")[old.id] == "Inactive", "the end of the key", 15)
        server.kill()
        server.start()
        bench = Bench(server, tmp_path)
        names = [event["eventName"] for event in key_events(bench, old)]
        assert names == ["BailiwickKeyExpiring", "BailiwickKeyExpired"]
        # Root's keys and exempt users' live on.
        bench.client("sts", root).get_caller_identity()
        assert bench.keys("admin") == {server.key().id: "Active"}
        server.run("admin", "key-policy", "clear")
        bench.iam.update_access_key(UserName="old", AccessKeyId=old.id, Status="Active")
        assert bench.keys("old") == {old.id: "Active"}
        for bad in (["--max-age", "1d", "--warn", "1d"], ["--max-age", "1d", "--warn", "1h", "--exempt-path", "/"]):
            done = server.run("admin", "key-policy", "set", *bad, check=False)
            assert done.returncode == 2 and done.stderr, bad
        for name in ("SetKeyPolicy", "ClearKeyPolicy"):
            told = bench.run("events", "--event-name", name, "--format", "json").stdout
            assert told.count(f'"eventName":"{name}"') == 1


# The time of day: mission row M19.


@pytest.mark.parametrize("zone, hour", [(None, 9), ("Europe/Berlin", 8), ("Asia/Kolkata", 3.5)])
def test_calls_within_the_hours_of_a_day(binary, tmp_path, zone, hour):
    options = ["--time-zone", zone] if zone else []
    with process.Server(binary, options=options, dev=True) as server:
        bench = Bench(server, tmp_path)
        window = {"NumericGreaterThanEquals": {"bailiwick:TimeOfDay": "090000"},
                  "NumericLessThanEquals": {"bailiwick:TimeOfDay": "170000"}}
        key = bench.user("clerk", allow("iam:ListUsers", **window))

        def allowed(seconds):
            day = 86400 * 20088  # in winter
            at = day + int(hour * 3600) + seconds
            server.set_clock(now=f"{iso(at)}")
            try:
                bench.client("iam", key).list_users()
            except Exception as error:
                assert error.response["Error"]["Code"] == "AccessDenied"
                return False
            return True

        # A second and more passes between the clock and the call.
        for seconds, expected in ((-5, False), (1, True), (4 * 3600, True), (8 * 3600 - 5, True), (8 * 3600 + 1, False), (15 * 3600, False)):
            assert allowed(seconds) == expected, seconds


def test_an_unknown_time_zone_stops_the_start(binary):
    server = process.Server(binary, options=["--time-zone", "Mars/Olympus"])
    with pytest.raises(AssertionError, match="not a time zone"):
        server.start()
    server.close()


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
