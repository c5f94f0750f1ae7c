"""Rows on attacks, toxic pairs and privilege: what the analyst says, and that it is so.

Accounts are files or what `aws iam get-account-authorization-details` prints of a server; where the
server is there, its answers are the second way.
"""

import json
import pathlib
import subprocess

import process
from rows import ACCOUNT, OUTSIDER, row

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
NOW = "2026-06-01T00:00:00Z"
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,"
    "access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,"
    "access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,"
    "cert_1_last_rotated,cert_2_active,cert_2_last_rotated").split(",")


def arn(rest):
    return f"arn:aws:iam::{ACCOUNT}:{rest}"


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(*actions, resource="*", **condition):
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def deny(*actions, resource="*"):
    return {"Effect": "Deny", "Action": list(actions), "Resource": resource}


def trust(principal, **condition):
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return policy(statement | ({"Condition": condition} if condition else {}))


class World:
    """A folder of an audit, written down piece by piece."""

    def __init__(self, t, name):
        self.t, self.folder = t, pathlib.Path(t.home, name)
        self.folder.mkdir()
        self.users, self.roles, self.groups, self.policies, self.rows, self.used = [], [], [], [], {}, {}
        self.scps = None
        self.ids = 0

    def id(self, prefix):
        self.ids += 1
        digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
        return prefix + "".join(digits[self.ids * (n + 3) % 32] for n in range(17))

    def entity(self, kind, name, statements, attached, boundary, **more):
        inline = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []
        found = {
            "Path": "/", f"{kind}Name": name, f"{kind}Id": self.id({"User": "AIDA", "Role": "AROA", "Group": "AGPA"}[kind]),
            "Arn": arn(f"{kind.lower()}/{name}"), "CreateDate": "2025-01-01T00:00:00+00:00", f"{kind}PolicyList": inline,
            "AttachedManagedPolicies": [{"PolicyName": one.split("/")[-1], "PolicyArn": one} for one in attached],
        } | more
        if kind != "Group":
            found["Tags"] = []
        if boundary:
            found["PermissionsBoundary"] = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
        return found

    def user(self, name, *statements, attached=(), boundary=None, groups=(), **report):
        self.users.append(self.entity("User", name, statements, attached, boundary, GroupList=list(groups)))
        self.rows[name] = report
        return arn(f"user/{name}")

    def group(self, name, *statements, attached=()):
        self.groups.append(self.entity("Group", name, statements, attached, None))
        return arn(f"group/{name}")

    def role(self, name, trusted, *statements, attached=(), boundary=None):
        self.roles.append(self.entity("Role", name, statements, attached, boundary,
                                      AssumeRolePolicyDocument=trusted, InstanceProfileList=[]))
        return arn(f"role/{name}")

    def managed(self, name, *statements):
        found = arn(f"policy/{name}")
        self.policies.append({
            "PolicyName": name, "PolicyId": self.id("ANPA"), "Arn": found, "Path": "/", "DefaultVersionId": "v1",
            "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0, "IsAttachable": True,
            "CreateDate": "2025-01-01T00:00:00+00:00", "UpdateDate": "2025-01-01T00:00:00+00:00",
            "PolicyVersionList": [{"Document": policy(*statements), "VersionId": "v1", "IsDefaultVersion": True,
                                   "CreateDate": "2025-01-01T00:00:00+00:00"}]})
        return found

    def uses(self, who, **services):
        self.used[who] = services

    def limit(self, *statements):
        """An SCP on the account."""
        self.scps = policy(*statements)

    def report(self):
        lines = [",".join(HEADER)]
        for name, changes in {"<root_account>": {}, **self.rows}.items():
            root = name == "<root_account>"
            base = dict.fromkeys(HEADER, "N/A") | {
                "user": name, "arn": arn("root" if root else f"user/{name}"),
                "user_creation_time": "2025-01-01T00:00:00+00:00", "password_enabled": "not_supported" if root else "false",
                "password_last_used": "no_information", "mfa_active": "true" if root else "false",
                "access_key_1_active": "false", "access_key_2_active": "false", "cert_1_active": "false",
                "cert_2_active": "false"}
            if root:
                base["password_last_changed"] = "not_supported"
            lines.append(",".join((base | changes)[column] for column in HEADER))
        return "\n".join(lines) + "\n"

    def write(self):
        put = lambda name, value: (self.folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
        put("authorization-details.json", {"UserDetailList": self.users, "GroupDetailList": self.groups,
                                           "RoleDetailList": self.roles, "Policies": self.policies, "IsTruncated": False})
        put("credential-report.csv", self.report())
        if self.used:
            (self.folder / "last-accessed").mkdir(exist_ok=True)
        for number, (who, services) in enumerate(self.used.items()):
            listed = [{"ServiceName": one, "ServiceNamespace": one, "TotalAuthenticatedEntities": 1 if last else 0}
                      | ({"LastAuthenticated": last} if last else {}) for one, last in services.items()]
            put(f"last-accessed/{number}.json", {"Arn": who, "JobStatus": "COMPLETED", "ServicesLastAccessed": listed,
                                                 "JobCreationDate": NOW, "JobCompletionDate": NOW})
        if self.scps:
            self.organization(put)
        return str(self.folder)

    def organization(self, put):
        base = self.folder / "organization"
        for part in ("units", "accounts", "policies", "policy", "targets"):
            (base / part).mkdir(parents=True, exist_ok=True)
        master = "999999999999"
        at = f"arn:aws:organizations::{master}"
        account = {"Id": ACCOUNT, "Arn": f"{at}:account/o-abcdefghij/{ACCOUNT}", "Email": "a@example.com", "Name": "a",
                   "Status": "ACTIVE", "JoinedMethod": "CREATED", "JoinedTimestamp": "2025-01-01T00:00:00+00:00"}
        put("organization/organization.json", {"Organization": {
            "Id": "o-abcdefghij", "Arn": f"{at}:organization/o-abcdefghij", "FeatureSet": "ALL", "MasterAccountId": master,
            "MasterAccountArn": f"{at}:account/o-abcdefghij/{master}", "MasterAccountEmail": "m@example.com"}})
        put("organization/roots.json", {"Roots": [{
            "Id": "r-abcd", "Arn": f"{at}:root/o-abcdefghij/r-abcd", "Name": "Root",
            "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]})
        put("organization/accounts.json", {"Accounts": [account]})
        put("organization/units/r-abcd.json", {"OrganizationalUnits": []})
        put("organization/accounts/r-abcd.json", {"Accounts": [account]})
        texts = {"p-FullAWSAccess": policy(allow("*")), "p-abcdefgh": self.scps}
        listed = [{"Id": one, "Arn": f"{at}:policy/o-abcdefghij/service_control_policy/{one}", "Name": one,
                   "Description": "", "Type": "SERVICE_CONTROL_POLICY", "AwsManaged": one == "p-FullAWSAccess"} for one in texts]
        put("organization/policies/SERVICE_CONTROL_POLICY.json", {"Policies": listed})
        for one, summary in zip(texts, listed):
            put(f"organization/policy/{one}.json", {"Policy": {"PolicySummary": summary, "Content": json.dumps(texts[one])}})
            targets = [{"TargetId": "r-abcd", "Arn": f"{at}:root/o-abcdefghij/r-abcd", "Name": "Root", "Type": "ROOT"}]
            targets += [{"TargetId": ACCOUNT, "Arn": account["Arn"], "Name": "a", "Type": "ACCOUNT"}]
            put(f"organization/targets/{one}.json", {"Targets": targets})


def tool(t, *words, code=0, environment=None):
    """Runs our command line, which needs no server, and checks its exit code."""
    t.say("$ bailiwick " + " ".join(words))
    done = subprocess.run([str(t.binary), *words], capture_output=True, text=True, timeout=300,
                          env=process.clean_environment(HOME=t.home, **(environment or {})))
    t.check(done.returncode == code, f"exit code {code}", found=f"{done.returncode} {done.stderr[-600:]}", quiet=True)
    return done


def data(t, *words, **more):
    return json.loads(tool(t, *words, "--format", "json", **more).stdout)


def findings(t, folder, check, **settings):
    """The subjects of a check that fail, with what is told of each."""
    more = []
    if settings:
        file = pathlib.Path(t.home, "settings.toml")
        file.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
        more = ["--settings", str(file)]
    told = data(t, "audit", folder, "--as-of", NOW, *more, code=1)
    return {one["subject"]: one for one in told["findings"] if one["check"] == check}


@row("M51")
def confused_deputy(t):
    """outside accounts without ExternalId, services without a source: told, with a fix; with them not"""
    source = {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    for name, other in (("vendor", "buyer"), ("x-1", "x-2")):
        world = World(t, f"trust-{name}")
        bare = world.role(name, trust({"AWS": f"arn:aws:iam::{OUTSIDER}:root"}), allow("s3:GetObject"))
        world.role(f"{name}-with-id", trust({"AWS": f"arn:aws:iam::{OUTSIDER}:root"},
                                            StringEquals={"sts:ExternalId": "c1a7"}), allow("s3:GetObject"))
        world.role(f"{name}-own", trust({"AWS": arn("root")}), allow("s3:GetObject"))
        deputy = world.role(other, trust({"Service": "states.amazonaws.com"}), allow("logs:PutLogEvents"))
        world.role(f"{other}-bound", trust({"Service": "states.amazonaws.com"}, **source), allow("logs:PutLogEvents"))
        folder = world.write()
        found = findings(t, folder, "TRU-02")
        t.equal(sorted(found), [bare], "outside accounts without ExternalId")
        fix = found[bare]["fix"]
        t.check("ExternalId" in json.dumps(fix), "the fix names sts:ExternalId")
        t.equal(sorted(findings(t, folder, "TRU-04")), [deputy], "services without a source")
        t.check(bare not in findings(t, folder, "TRU-03", **{"vendor-accounts": [OUTSIDER]}), "a known vendor is known")
        t.check(bare in findings(t, folder, "TRU-02", **{"vendor-accounts": [OUTSIDER]}), "and still needs an ExternalId")
        # It is so: who-can has the stranger without any condition, and with the id only under one.
        export = f"{folder}/authorization-details.json"
        for role, certainty in ((bare, "always"), (arn(f"role/{name}-with-id"), "only-if")):
            told = data(t, "who-can", "sts:AssumeRole", role, "--account", export)
            said = [one for one in told["who"] if OUTSIDER in one["principal"]]
            t.equal({access["certainty"] for one in said for access in one["access"]}, {certainty}, f"{role.split('/')[-1]} lets in")


@row("M66")
def privileged_without_mfa(t):
    """privileged is who has the rights, whatever the names; administrators without MFA are told"""
    world = World(t, "mfa")
    group = "readers"
    world.group(group, allow("iam:*", "s3:*", "ec2:*", "sts:*"))
    hidden = world.user("reader", groups=[group], password_enabled="true")
    plain = world.user("boss", attached=[ADMIN], password_enabled="true")
    world.user("careful", attached=[ADMIN], password_enabled="true", mfa_active="true")
    named = world.managed("AdministratorAccess", allow("s3:GetObject"))
    world.user("named", attached=[named], password_enabled="true")
    limit = world.managed("limit", allow("s3:*"))
    world.user("bounded", attached=[ADMIN], boundary=limit, password_enabled="true")
    folder = world.write()
    found = findings(t, folder, "MFA-03")
    t.equal(sorted(found), sorted([hidden, plain]), "administrators without MFA")
    told = data(t, "audit", "overprivileged", folder, "--as-of", NOW, code=1)
    reach = {one["principal"].split("/")[-1]: one["radius"]["reach"] for one in told["rows"]}
    t.equal((reach["boss"], reach["careful"], reach["named"], reach["bounded"]),
            ("administrator", "administrator", "nothing", "nothing"), "who is administrator")
    t.check(reach["reader"] in ("administrator", "path"), "the reader gets there")
    # Renamed, nothing changes.
    text = json.dumps(json.loads((world.folder / "authorization-details.json").read_text()))
    (world.folder / "authorization-details.json").write_text(text.replace("readers", "zz").replace("limit", "yy"))
    t.equal(sorted(findings(t, folder, "MFA-03")), sorted([hidden, plain]), "after a renaming")


@row("M112")
def four_families(t):
    """over-permissive, unused keys, missing MFA and cross-account risk, each with evidence, by any name"""
    old = "2025-02-01T00:00:00+00:00"
    for prefix in ("prod", "q7"):
        world = World(t, f"families-{prefix}")
        wide = world.managed(f"{prefix}-wide", allow("*"))
        world.user(f"{prefix}-ops", attached=[wide])
        world.user(f"{prefix}-console", password_enabled="true", password_last_changed=old)
        world.user(f"{prefix}-key", access_key_1_active="true", access_key_1_last_rotated=old, access_key_1_last_used_date=old,
                   access_key_1_last_used_region="us-east-1", access_key_1_last_used_service="s3")
        world.role(f"{prefix}-shared", trust({"AWS": f"arn:aws:iam::{OUTSIDER}:root"}), allow("s3:*"))
        # Fine ones beside them.
        world.user(f"{prefix}-fine", allow("s3:GetObject", resource="arn:aws:s3:::b/*"), password_enabled="true",
                   password_last_used="2026-05-30T00:00:00+00:00", password_last_changed="2026-05-01T00:00:00+00:00", mfa_active="true")
        folder = world.write()
        for check, subject in (("POL-01", wide), ("KEY-03", arn(f"user/{prefix}-key")), ("MFA-01", arn(f"user/{prefix}-console")),
                               ("TRU-02", arn(f"role/{prefix}-shared"))):
            found = findings(t, folder, check)
            t.equal(sorted(found), [subject], check)
            t.check(found[subject]["why"] and found[subject]["fix"], f"{check} says why and what to do", quiet=True)
        # It is so: the engine allows the policy's holder what it should not.
        export = f"{folder}/authorization-details.json"
        told = data(t, "who-can", "iam:CreateUser", "--account", export)
        t.check(any(one["principal"] == arn(f"user/{prefix}-ops") for one in told["who"]), "who-can has the over-permitted user")


@row("M113")
def overprivileged(t):
    """granted beside used, blast radius and reach of escalation; names decide nothing"""
    world = World(t, "granted")
    wide = world.user("intern", allow("*"))
    small = world.managed("small", allow("s3:*"))
    bounded = world.user("AdministratorAccess", attached=[ADMIN], boundary=small)
    role = world.role("worker", trust({"AWS": arn("root")}), allow("sqs:*"))
    reader = world.user("reader", allow("s3:GetObject", "sqs:ReceiveMessage"), allow("sts:AssumeRole", resource=role))
    climber = world.user("climber", allow("iam:CreateAccessKey", resource=wide))
    world.uses(wide, s3="2026-05-01T00:00:00Z", iam=None)
    world.uses(bounded, s3="2026-05-01T00:00:00Z")
    world.uses(reader, s3="2026-05-01T00:00:00Z", sqs=None)
    folder = world.write()
    told = data(t, "audit", "overprivileged", folder, "--as-of", NOW, code=1)
    rows = {one["principal"]: one for one in told["rows"]}
    t.equal([rows[who]["radius"]["reach"] for who in (wide, bounded, reader, climber)],
            ["administrator", "nothing", "nothing", "path"], "reach")
    t.equal(list(rows[bounded]["services"]), ["s3"], "what the boundary leaves")
    t.equal((rows[reader]["actions"], rows[reader]["used"], rows[reader]["radius"]["roles"]), (3, ["s3"], 1), "the reader")
    t.check(rows[wide]["ratio"] < 0.05 and rows[bounded]["ratio"] == 1.0, "shares that are used")
    t.equal(rows[climber]["used"], None, "uses that are not known are not taken for none")
    t.equal(told["rows"][0]["principal"], wide, "the widest radius comes first")
    table = tool(t, "audit", "overprivileged", folder, "--as-of", NOW, "--top", "2", code=1).stdout
    t.check("and 3 more" in table or "and 2 more" in table, "the table is cut at --top")
    # It is so: the search of its own finds the same path.
    found = data(t, "escalate", f"{folder}/authorization-details.json", "--from", climber, code=1)
    t.equal([one["principal"] for one in found["findings"]], [climber], "escalate agrees")


@row("M118")
def audit_and_fixes(t):
    """the whole audit with what to do first; what was done is fixed in the next run"""
    world = World(t, "before")
    world.user("ops", attached=[world.managed("wide", allow("*"))], password_enabled="true")
    folder = world.write()
    count = int(tool(t, "audit", "checks", "--count").stdout.split()[0])
    t.check(count >= 158, f"{count} checks")
    table = tool(t, "audit", folder, "--as-of", NOW, code=1).stdout
    t.check("What to do first" in table and "fix: " in table, "a summary to act on")
    t.check("not assessed" in table, "what was not looked at is said")
    before = tool(t, "audit", folder, "--as-of", NOW, "--format", "json", code=1).stdout
    baseline = pathlib.Path(t.home, "before.json")
    baseline.write_text(before)
    ids = {one["id"] for one in json.loads(before)["findings"] if one["check"] in ("POL-01", "MFA-01")}
    t.equal(len(ids), 2, "two faults")
    world = World(t, "after")
    world.user("ops", attached=[world.managed("wide", allow("s3:GetObject", resource="arn:aws:s3:::b/*"))],
               password_enabled="true", mfa_active="true")
    after = data(t, "audit", world.write(), "--as-of", NOW, "--baseline", str(baseline), code=1)
    t.check(ids <= set(after["fixed"]), "both are told as fixed")


def eve(t, boundary=False):
    """An account on a server where somebody may give policies to herself."""
    t.serve()
    key = t.user("eve", policy(allow("iam:PutUserPolicy", resource=arn("user/eve"))))
    if boundary:
        made = t.quietly("CreatePolicy", PolicyName="limit", PolicyDocument=json.dumps(policy(allow("s3:*", "iam:PutUserPolicy"))))
        t.quietly("PutUserPermissionsBoundary", UserName="eve", PermissionsBoundary=made.find("Arn"))
    return key


def export(t):
    """The account as the AWS CLI prints it."""
    file = pathlib.Path(t.home, "details.json")
    file.write_text(t.works("iam", "get-account-authorization-details").out)
    return str(file)


@row("M119")
def simulated_attacks(t):
    """techniques played step by step: reached where it works, blocked by the policy that blocks it"""
    count = int(tool(t, "attack", "list", "--count").stdout)
    t.check(count >= 60, f"{count} techniques")
    # On files: an instance with an administrator's role, with and without what stops it.
    for stop, by in ((None, None), ("boundary", "boundary"), ("scp", "scp"), ("deny", "explicit-deny"), ("condition", None)):
        world = World(t, f"machines-{stop}")
        role = world.role("machine", trust({"Service": "ec2.amazonaws.com"}), attached=[ADMIN])
        limit = world.managed("limit", allow("ec2:*"))
        statements = [allow("iam:PassRole", resource=role), allow("ec2:RunInstances")]
        if stop == "deny":
            statements.append(deny("ec2:RunInstances"))
        if stop == "condition":
            statements[0]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
        if stop == "scp":
            world.limit(deny("ec2:RunInstances"))
        who = world.user("builder", *statements, boundary=limit if stop == "boundary" else None)
        open_way = stop in (None, "condition")
        folder = world.write()
        told = data(t, "attack", "run", "--all", folder, "--from", who, "--as-of", NOW, code=int(open_way))
        t.equal(len(told["techniques"]), count, "all techniques are played")
        found = next(one for one in told["attempts"] if one["technique"] == "ESC-049")
        expected = {None: "reached", "condition": "conditional"}.get(stop, "blocked")
        t.equal(found["verdict"], expected, f"PassRole and RunInstances with {stop or 'nothing in the way'}")
        t.equal(found.get("blocked", {}).get("by"), by, "by")
        t.check(all(one["decision"] == "allowed" and one["by"] for one in found["steps"]) == open_way, "each step has its decision")
        if stop == "condition":
            t.check("multifactor" in json.dumps(found["on"]).lower(), "it is told on what it depends")
        # The proof replays: each request of the steps by the same engine through another verb.
        if open_way and not stop:
            for step in found["steps"]:
                if step["caller"] != who:
                    continue
                done = tool(t, "simulate", "--principal", who, "--action", step["action"], "--resource", step["resource"],
                            "--account", f"{folder}/authorization-details.json",
                            *[word for key, values in step["context"].items() for word in ("--context", f"{key}={values[0]}")])
                t.check("allowed" in done.stdout, f"{step['action']} is allowed", quiet=True)
    # On an account of a server: what is said to be reached can be done, what is blocked cannot.
    key = eve(t)
    told = data(t, "attack", "run", "--technique", "ESC-010", export(t), "--from", arn("user/eve"), code=1)
    t.equal(told["attempts"][0]["verdict"], "reached", "eve on the server's account")
    t.fails("AccessDenied", "iam", "list-users", key=key)
    everything = json.dumps(policy(allow("*")))
    t.works("iam", "put-user-policy", "--user-name", "eve", "--policy-name", "more", "--policy-document", everything, key=key)
    t.works("iam", "list-users", key=key)
    key = eve(t, boundary=True)
    told = data(t, "attack", "run", "--technique", "ESC-010", export(t), "--from", arn("user/eve"))
    t.equal((told["attempts"][0]["verdict"], told["attempts"][0]["blocked"]["by"]), ("blocked", "boundary"), "with a boundary")
    t.works("iam", "put-user-policy", "--user-name", "eve", "--policy-name", "more", "--policy-document", everything, key=key)
    t.fails("AccessDenied", "iam", "list-users", key=key, text="permissions boundary")
    before = t.state()
    # Within her boundary she may read buckets now.
    told = data(t, "attack", "run", "--all", export(t), code=1)
    t.check("COL-004" in [one["technique"] for one in told["attempts"] if one["verdict"] == "reached"], "what the boundary leaves is told")
    t.equal(t.state() == before, True, "nothing has changed")
    # With signed calls: reached, held by a boundary, refused in another account; and nothing is left.
    own = t.admin.environment()
    live = ("attack", "run", "--all", "--live", "--endpoint", t.url, "--throw-away-account")
    tool(t, *live, OUTSIDER, code=2, environment=own)
    tool(t, *live[:-1], code=2, environment=own)
    t.equal(t.state() == before, True, "nothing was done in another account than the one that was said")
    told = data(t, *live, ACCOUNT, code=1, environment=own)["outcomes"]
    verdicts = {one["technique"]: one["verdict"] for one in told}
    played = sorted(one for one, verdict in verdicts.items() if verdict != "not-played")
    t.equal({verdicts[one] for one in played}, {"reached"}, f"what {', '.join(played)} come to")
    numbers = (1, 2, 4, 5, 7, 8, 10, 11, 13, 15, 18, 22, 23, 25, 26)
    t.equal(played, [f"ESC-{number:03}" for number in numbers], "the techniques of IAM alone")
    t.check("neither IAM nor STS" in next(one["why"] for one in told if one["technique"] == "ESC-049"), "others say why not")
    t.equal(t.state() == before, True, "all is taken away again")
    calls = {event["eventName"] for event in t.events() if "bailiwick-attack" in json.dumps(event["userIdentity"])}
    t.check({"CreateAccessKey", "PutUserPolicy", "CreateLoginProfile"} <= calls, "the attackers' calls are in the trail")
    limit = t.quietly("CreatePolicy", PolicyName="guard", PolicyDocument=json.dumps(policy(allow("s3:*")))).find("Arn")
    told = data(t, *live, ACCOUNT, "--boundary", limit, environment=own)["outcomes"]
    held = {one["technique"]: one["why"] for one in told if one["verdict"] == "blocked"}
    t.equal(sorted(held), played, "blocked with a boundary")
    t.check(all("permissions boundary" in why for why in held.values()), "by the boundary, as the server says")


@row("M129")
def separation_of_duties(t):
    """toxic pairs on effective rights and roles that can be assumed; told before an attachment makes one"""
    world = World(t, "duties")
    world.group("hands", allow("cloudtrail:StopLogging"))
    two = world.user("two-policies", allow("iam:CreateUser"), groups=["hands"])
    limit = world.managed("limit", allow("iam:*"))
    world.user("bounded", allow("iam:CreateUser"), groups=["hands"], boundary=limit)
    role = world.role("keeper", trust({"AWS": arn("root")}), allow("cloudtrail:StopLogging"))
    chained = world.user("chained", allow("iam:CreateUser"), allow("sts:AssumeRole", resource=role))
    alone = world.user("alone", allow("iam:CreateUser"))
    folder = world.write()
    told = data(t, "audit", "toxic", folder, "--as-of", NOW, code=1)
    t.check(len(told["rules"]) >= 12, f"{len(told['rules'])} rules")
    pairs = {(one["principal"], one["rule"]) for one in told["pairs"]}
    t.equal(pairs, {(two, "SOD-01"), (chained, "SOD-01")}, "who could make a user that nobody sees")
    through = next(one for one in told["pairs"] if one["principal"] == chained)["other"]["through"]
    t.equal(through, [role], "by which role")
    # It is so.
    details = f"{folder}/authorization-details.json"
    told = data(t, "who-can", "cloudtrail:StopLogging", "--account", details)
    t.check(two in [one["principal"] for one in told["who"]], "who-can has one of them")
    # Before it is made.
    file = pathlib.Path(t.home, "new.json")
    file.write_text(json.dumps(policy(allow("cloudtrail:StopLogging"))))
    told = data(t, "check", "toxic", "--attach", str(file), "--to", alone, folder, code=1)
    t.equal([(one["principal"], one["rule"]) for one in told["pairs"]], [(alone, "SOD-01")], "an attachment that would make one")
    file.write_text(json.dumps(policy(allow("cloudtrail:LookupEvents"))))
    t.equal(data(t, "check", "toxic", "--attach", str(file), "--to", alone, folder)["pairs"], [], "and one that would not")
    # Rules of one's own.
    rules = pathlib.Path(t.home, "rules.yaml")
    rules.write_text("rules:\n- id: OWN-1\n  one: {name: make, actions: ['iam:Create*']}\n"
                     "  other: {name: assume, actions: ['sts:AssumeRole']}\n  reason: for the test\n")
    told = data(t, "audit", "toxic", folder, "--rules", str(rules), code=1)
    t.equal([one["principal"] for one in told["pairs"]], [chained], "by rules of one's own")
    rules.write_text("rules:\n- id: OWN-1\n  one: {name: make, actions: ['iam:Creat']}\n"
                     "  other: {name: assume, actions: ['sts:AssumeRole']}\n  reason: for the test\n")
    tool(t, "audit", "toxic", folder, "--rules", str(rules), code=2)
