"""`bailiwick who-can`, `can` and `access-matrix`: effective access in an account export."""

import csv
import io
import json
import subprocess

import process
import pytest

pytestmark = pytest.mark.untraced

ACCOUNT = "123456789012"
OBJECT = "arn:aws:s3:::payroll/2026.csv"


def arn(rest):
    return f"arn:aws:iam::{ACCOUNT}:{rest}"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action, on="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


def deny(action, on="*", **more):
    return {"Effect": "Deny", "Action": action, "Resource": on, **more}


def trust(principal, **more):
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more})


def inline(*statements):
    return [{"PolicyName": "own", "PolicyDocument": policy(*statements)}]


def user(name, *statements, groups=(), tags=None, boundary=None):
    found = {
        "Path": "/", "UserName": name, "UserId": "AIDA" + name.upper().ljust(17, "A"), "Arn": arn(f"user/{name}"),
        "CreateDate": "2026-01-01T00:00:00Z", "GroupList": list(groups), "AttachedManagedPolicies": [],
        "Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    }
    if statements:
        found["UserPolicyList"] = inline(*statements)
    if boundary:
        found["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    return found


def role(name, trusted, *statements, path="/"):
    return {
        "Path": path, "RoleName": name, "RoleId": "AROA" + name.upper().ljust(17, "A"),
        "Arn": arn(f"role{path}{name}"), "CreateDate": "2026-01-01T00:00:00Z", "AssumeRolePolicyDocument": trusted,
        "InstanceProfileList": [], "AttachedManagedPolicies": [], "Tags": [],
        "RolePolicyList": inline(*statements) if statements else [],
    }


def export():
    mfa = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    limit = arn("policy/limit")
    return {
        "UserDetailList": [
            user("alice", groups=["devs"]),
            user("bob", allow("s3:*", "arn:aws:s3:::payroll/*", **mfa)),
            user("carol", allow("s3:*"), boundary=limit),
            user("dave", allow("sts:AssumeRole", arn("role/reader"))),
            user("erin", allow("s3:GetObject"), deny("s3:*", "arn:aws:s3:::payroll/*")),
            user("finn", allow("s3:GetObject", "arn:aws:s3:::${aws:PrincipalTag/team}/*"), tags={"team": "payroll"}),
            user("nobody"),
        ],
        "GroupDetailList": [{
            "Path": "/", "GroupName": "devs", "GroupId": "AGPAAAAAAAAAAAAAAAAAA", "Arn": arn("group/devs"),
            "CreateDate": "2026-01-01T00:00:00Z", "AttachedManagedPolicies": [],
            "GroupPolicyList": inline({"Sid": "Read", **allow(["s3:GetObject", "s3:ListBucket"], "arn:aws:s3:::payroll*")},
                                      deny("s3:GetObject", "arn:aws:s3:::payroll/secret/*")),
        }],
        "RoleDetailList": [
            role("reader", trust({"AWS": ACCOUNT}), allow("s3:GetObject", "arn:aws:s3:::payroll/*")),
            role("ci", trust({"Service": "codebuild.amazonaws.com"}), allow("sts:AssumeRole", arn("role/reader"))),
        ],
        "Policies": [{
            "PolicyName": "limit", "PolicyId": "ANPAAAAAAAAAAAAAAAAAA", "Arn": limit, "Path": "/",
            "DefaultVersionId": "v1", "AttachmentCount": 0, "PermissionsBoundaryUsageCount": 1, "IsAttachable": True,
            "CreateDate": "2026-01-01T00:00:00Z", "UpdateDate": "2026-01-01T00:00:00Z",
            "PolicyVersionList": [{
                "Document": policy(allow("ec2:*")), "VersionId": "v1", "IsDefaultVersion": True,
                "CreateDate": "2026-01-01T00:00:00Z",
            }],
        }],
    }


@pytest.fixture
def line(binary, tmp_path):
    """Runs the binary in a folder with an export."""

    def run(*args, code=0):
        done = subprocess.run(
            [binary, *map(str, args)], cwd=tmp_path, env=process.clean_environment(),
            capture_output=True, text=True, timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def write(name, content):
        (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
        return name

    def who(*args, code=0):
        answer = json.loads(run("who-can", *args, "--account", "export.json", "--format", "json", code=code).stdout)
        return {one["principal"]: one for one in answer["who"]}, answer

    run.write, run.who = write, who
    write("export.json", export())
    return run


def certainties(who):
    return {name.rsplit("/", 1)[-1]: one["access"][0]["certainty"] for name, one in who.items()}


def test_who_can_names_all_who_can_and_why(line):
    who, answer = line.who("s3:GetObject", OBJECT)
    assert certainties(who) == {
        f"arn:aws:iam::{ACCOUNT}:root": "always", "alice": "always", "bob": "only-if", "finn": "always", "reader": "always",
    }
    way = who[arn("user/alice")]["access"][0]["ways"][0]
    assert way["by"] == [{"kind": "identity", "policy": "own", "group": "devs", "statement": 0, "sid": "Read"}]
    bob = who[arn("user/bob")]["access"][0]
    assert bob["ways"][0]["when"] == [{"operator": "Bool", "key": "aws:MultiFactorAuthPresent", "values": ["true"]}]
    assert bob["witness"]["context"] == {"aws:multifactorauthpresent": ["true"]}
    chains = {chain["principal"]: [hop["role"] for hop in chain["hops"]] for chain in answer["byRoles"]}
    assert chains == {
        arn("user/dave"): [arn("role/reader")],
        arn("role/ci"): [arn("role/reader")],
        "codebuild.amazonaws.com": [arn("role/ci"), arn("role/reader")],
    }


def test_witnesses_are_allowed_by_simulate(line):
    who, _ = line.who("s3:GetObject", OBJECT)
    for name, one in who.items():
        witness = one["access"][0]["witness"]
        context = [f"{key}={value}" for key, values in witness["context"].items() for value in values]
        more = [part for entry in context for part in ("--context", entry)]
        line("simulate", "--account", "export.json", "--principal", name, "--action", witness["action"],
             "--resource", witness["resource"], *more)


def test_a_level_of_the_organization_takes_away(line):
    line.write("full.json", policy(allow("*")))
    line.write("region.json", policy(deny("s3:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}})))
    who, _ = line.who("s3:GetObject", OBJECT, "--scp", "root=full.json", "root=region.json", "full.json")
    assert set(certainties(who).values()) == {"only-if"}
    denies = who[arn("user/alice")]["access"][0]["unless"]
    assert [deny["by"]["kind"] for deny in denies] == ["service-control"]
    line.write("none.json", policy(deny("s3:*")))
    line("who-can", "s3:GetObject", OBJECT, "--account", "export.json", "--scp", "none.json", code=1)


def test_a_resource_policy_lets_in_from_outside(line):
    line.write("bucket.json", policy(
        {"Effect": "Allow", "Principal": {"AWS": ["999900001111", arn("user/nobody")]}, "Action": "s3:GetObject",
         "Resource": "arn:aws:s3:::payroll/*"},
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::payroll/*",
         "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc"}}},
    ))
    given = ["--resource-policy", "arn:aws:s3:::payroll=bucket.json"]
    who, _ = line.who("s3:GetObject", OBJECT, *given)
    assert who["999900001111"]["kind"] == "account" and who["999900001111"]["ifItsAccountAllows"]
    everybody = who["everybody with an AWS account"]["access"][0]
    assert everybody["certainty"] == "only-if"
    assert everybody["ways"][0]["when"][0]["key"] == "aws:PrincipalOrgID"
    assert "everybody, unsigned" not in who
    assert who[arn("user/nobody")]["access"][0]["ways"][0]["by"][0]["kind"] == "resource"
    objects, _ = line.who("s3:GetObject", "arn:aws:s3:::payroll/*", *given)
    assert "999900001111" in objects


def test_patterns_tell_some_from_all(line):
    who, _ = line.who("s3:GetObject", "arn:aws:s3:::payroll/*")
    extents = {name.rsplit("/", 1)[-1]: one["access"][0]["extent"] for name, one in who.items()}
    assert extents["alice"] == "some" and extents["finn"] == "all" and extents["reader"] == "all"
    who, answer = line.who("s3:Get*", OBJECT)
    assert "s3:GetObject" in answer["actions"] and "s3:GetBucketPolicy" not in answer["actions"]


def test_nobody_and_why_not(line):
    line("who-can", "kms:Decrypt", "arn:aws:kms:eu-west-1:123456789012:key/1", "--account", "export.json", code=1)
    done = line("who-can", "s3:GetObject", OBJECT, "--account", "export.json", "--why-not", "erin", code=1)
    assert "explicitDeny" in done.stdout and "own" in done.stdout
    done = line("who-can", "s3:GetObject", OBJECT, "--account", "export.json", "--why-not", "carol", code=1)
    assert "no permissions boundary allows it" in done.stdout
    done = line("who-can", "s3:GetObject", OBJECT, "--account", "export.json", "--why-not", "bob")
    assert "aws:MultiFactorAuthPresent" in done.stdout


def test_can_tells_sets_of_resources(line):
    done = line("can", "alice", "--account", "export.json", "--service", "s3")
    assert "arn:aws:s3:::payroll*" in done.stdout and "except arn:aws:s3:::payroll/secret/*" in done.stdout
    found = json.loads(line("can", arn("user/finn"), "--account", "export.json", "--format", "json").stdout)
    objects = {one["action"]: one for one in found["permissions"]}
    assert set(objects) >= {"s3:GetObject"} and objects["s3:GetObject"]["levels"] == ["Read"]
    assert objects["s3:GetObject"]["scopes"][0]["resources"] == "arn:aws:s3:::payroll/*"
    line("can", "nobody", "--account", "export.json", "--service", "s3", code=1)
    found = json.loads(line("can", "dave", "--account", "export.json", "--via-roles", "--action", "s3:*",
                            "--format", "json").stdout)
    assert found["permissions"] == [] and found["byRoles"][0]["roles"] == [arn("role/reader")]


def test_access_matrix(line):
    line.write("list.txt", "# of the payroll\narn:aws:s3:::payroll/2026.csv\n")
    done = line("access-matrix", "--account", "export.json", "--resources", "list.txt", "arn:aws:s3:::other/x",
                "--actions", "s3:GetObject", "s3:PutObject", "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["principal", OBJECT, "arn:aws:s3:::other/x"]
    table = {row[0].rsplit("/", 1)[-1]: row[1:] for row in rows[1:]}
    assert table["alice"] == ["GetObject", ""] and table["bob"] == ["GetObject? | PutObject?", ""]
    assert table["erin"] == ["", "GetObject"]
    done = line("access-matrix", "--account", "export.json", "--services", "s3", "sts")
    assert "Read" in done.stdout


@pytest.mark.parametrize(("args", "told"), [
    (["who-can", "GetObject", OBJECT, "--account", "export.json"], "`GetObject` is no action"),
    (["who-can", "s3:GetObject", "payroll", "--account", "export.json"], "`payroll` is no resource"),
    (["who-can", "s3:GetObject", OBJECT, "--account", "broken.json"], "broken.json:1:"),
    (["who-can", "s3:GetObject", OBJECT, "--account", "none.json"], "cannot be opened"),
    (["can", "alise", "--account", "export.json"], "did you mean"),
    (["who-can", "s3:GetObject", OBJECT, "--account", "export.json", "--scp", "bad.json"], "bad.json:1:"),
    (["access-matrix", "--account", "export.json", "--resources", "lines.txt", "--actions", "s3:GetObject"],
     "lines.txt:2:1"),
])
def test_bad_input_is_shown_with_its_place(line, args, told):
    line.write("broken.json", '{"UserDetailList": [')
    line.write("bad.json", '{"Version": "2012-10-17", "Statement": {"Efect": "Allow"}}')
    line.write("lines.txt", "arn:aws:s3:::a\nbucket\n")
    assert told in line(*args, code=2).stderr
