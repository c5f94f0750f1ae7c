"""Users, groups, roles and policies as Terraform's AWS provider handles them, call by call."""

import contextlib
import json

import botocore.exceptions
from conftest import refused

AWS = "arn:aws:iam::aws:policy"
ONE = {"Stage": "one", "Old": "o", "Managed": "terraform"}
TWO = {"Stage": "two", "New": "", "Managed": "terraform"}


def policy(*actions):
    """A policy as the provider writes it: its members in order of the alphabet."""
    return {"Statement": [{
        "Action": list(actions), "Condition": {"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}},
        "Effect": "Allow", "Resource": ["arn:aws:s3:::b/${aws:username}/*", "arn:aws:s3:::o/<&>*"], "Sid": "S",
    }], "Version": "2012-10-17"}


def trust(*services):
    return {"Statement": [{
        "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": list(services)}}], "Version": "2012-10-17"}


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def known(tags):
    return {tag["Key"]: tag["Value"] for tag in tags or []}


@contextlib.contextmanager
def gone():
    """The provider takes what is not there for deleted."""
    try:
        yield
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchEntity", error


class Resource:
    """A resource: `first` and `second` are its two states."""

    tagging = None
    """Of a resource with tags: the end of its tag operations' names, and the member that names it."""

    def __init__(self, world):
        self.world, self.iam, self.name = world, world.iam, world.name("tf")
        self.prepare()

    def prepare(self):
        """Makes what the resource needs."""

    def retag(self, old, new):
        kind, member = self.tagging
        name = {member: self.id}
        removed = [key for key in old["tags"] if key not in new["tags"]]
        changed = {key: value for key, value in new["tags"].items() if old["tags"].get(key) != value}
        getattr(self.iam, f"untag_{kind}")(TagKeys=removed, **name)
        getattr(self.iam, f"tag_{kind}")(Tags=pairs(changed), **name)
        listed = getattr(self.iam, f"list_{kind}_tags")(**name)
        assert known(listed["Tags"]) == new["tags"]

    @property
    def id(self):
        return self.name

    def user(self):
        """A user of its own."""
        self.owner = self.world.name("tf-user")
        self.iam.create_user(UserName=self.owner)

    def role(self):
        """A role of its own."""
        self.owner = self.world.name("tf-role")
        self.iam.create_role(RoleName=self.owner, AssumeRolePolicyDocument=json.dumps(trust("ec2.amazonaws.com")))

    def clear(self):
        """Takes away what was prepared."""
        owner = getattr(self, "owner", None)
        if owner and owner.startswith("tf-user"):
            self.iam.delete_user(UserName=owner)
        elif owner:
            self.iam.delete_role(RoleName=owner)


class User(Resource):
    tagging = ("user", "UserName")
    first = {"path": "/first/", "boundary": None, "tags": ONE}
    second = {"path": "/second/", "boundary": f"{AWS}/ReadOnlyAccess", "tags": TWO}

    def create(self, wanted):
        self.iam.create_user(UserName=self.name, Path=wanted["path"], Tags=pairs(wanted["tags"]))

    def read(self):
        found = self.iam.get_user(UserName=self.name)["User"]
        boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        assert found["UserName"] == self.name
        return {"path": found["Path"], "boundary": boundary, "tags": known(found.get("Tags"))}

    def update(self, old, new):
        renamed = f"{self.name}-renamed"
        self.iam.update_user(UserName=self.name, NewUserName=renamed, NewPath=new["path"])
        self.name = renamed
        self.iam.put_user_permissions_boundary(UserName=self.name, PermissionsBoundary=new["boundary"])
        self.retag(old, new)

    def delete(self):
        """With `force_destroy`: whatever hangs on the user is looked for and taken away."""
        iam, name = self.iam, {"UserName": self.name}
        with gone():
            for group in iam.list_groups_for_user(**name)["Groups"]:
                iam.remove_user_from_group(GroupName=group["GroupName"], **name)
            for each in iam.list_user_policies(**name)["PolicyNames"]:
                iam.delete_user_policy(PolicyName=each, **name)
            for each in iam.list_attached_user_policies(**name)["AttachedPolicies"]:
                iam.detach_user_policy(PolicyArn=each["PolicyArn"], **name)
            for each in iam.list_access_keys(**name)["AccessKeyMetadata"]:
                iam.delete_access_key(AccessKeyId=each["AccessKeyId"], **name)
            for each in iam.list_ssh_public_keys(**name)["SSHPublicKeys"]:
                iam.delete_ssh_public_key(SSHPublicKeyId=each["SSHPublicKeyId"], **name)
            for each in iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]:
                assert each["User"]["UserName"] != self.name
            assert iam.list_mfa_devices(**name)["MFADevices"] == []
            with gone():
                iam.delete_login_profile(**name)
            for each in iam.list_signing_certificates(**name)["Certificates"]:
                iam.delete_signing_certificate(CertificateId=each["CertificateId"], **name)
            for each in iam.list_service_specific_credentials(**name)["ServiceSpecificCredentials"]:
                iam.delete_service_specific_credential(
                    ServiceSpecificCredentialId=each["ServiceSpecificCredentialId"], **name)
            iam.delete_user(**name)


class Group(Resource):
    first, second = {"path": "/first/"}, {"path": "/second/"}

    def create(self, wanted):
        self.iam.create_group(GroupName=self.name, Path=wanted["path"])

    def read(self):
        return {"path": self.iam.get_group(GroupName=self.name)["Group"]["Path"]}

    def update(self, old, new):
        renamed = f"{self.name}-renamed"
        self.iam.update_group(GroupName=self.name, NewGroupName=renamed, NewPath=new["path"])
        self.name = renamed

    def delete(self):
        with gone():
            self.iam.delete_group(GroupName=self.name)


class Membership(Resource):
    first, second = {"users": 1}, {"users": 2}

    def prepare(self):
        self.iam.create_group(GroupName=self.name)
        self.users = [self.world.name("tf-user") for _ in range(2)]
        for name in self.users:
            self.iam.create_user(UserName=name)

    def create(self, wanted):
        self.iam.add_user_to_group(GroupName=self.name, UserName=self.users[0])

    def read(self):
        found = self.iam.get_group(GroupName=self.name)["Users"]
        if not found:
            return None
        assert {user["UserName"] for user in found} <= set(self.users)
        return {"users": len(found)}

    def update(self, old, new):
        self.iam.add_user_to_group(GroupName=self.name, UserName=self.users[1])

    def delete(self):
        for name in self.users:
            with gone():
                self.iam.remove_user_from_group(GroupName=self.name, UserName=name)

    def clear(self):
        self.iam.delete_group(GroupName=self.name)
        for name in self.users:
            self.iam.delete_user(UserName=name)


class Role(Resource):
    tagging = ("role", "RoleName")
    first = {
        "trust": trust("ec2.amazonaws.com"), "description": "first", "duration": 3600,
        "boundary": f"{AWS}/ReadOnlyAccess", "tags": ONE, "inline": [], "attached": []}
    second = {
        "trust": trust("lambda.amazonaws.com", "ec2.amazonaws.com"), "description": "changed: \u00e9, <b>",
        "duration": 7200, "boundary": None, "tags": TWO, "inline": [], "attached": []}

    def create(self, wanted):
        self.iam.create_role(
            RoleName=self.name, Path="/roles/", AssumeRolePolicyDocument=json.dumps(wanted["trust"]),
            Description=wanted["description"], MaxSessionDuration=wanted["duration"],
            PermissionsBoundary=wanted["boundary"], Tags=pairs(wanted["tags"]))

    def read(self):
        found = self.iam.get_role(RoleName=self.name)["Role"]
        assert found["Path"] == "/roles/"
        return {
            "trust": found["AssumeRolePolicyDocument"], "description": found["Description"],
            "duration": found["MaxSessionDuration"], "tags": known(found.get("Tags")),
            "boundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "inline": self.iam.list_role_policies(RoleName=self.name)["PolicyNames"],
            "attached": self.iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"],
        }

    def update(self, old, new):
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=json.dumps(new["trust"]))
        self.iam.update_role_description(RoleName=self.name, Description=new["description"])
        self.iam.update_role(RoleName=self.name, MaxSessionDuration=new["duration"])
        self.iam.delete_role_permissions_boundary(RoleName=self.name)
        self.retag(old, new)

    def delete(self):
        with gone():
            assert self.iam.list_instance_profiles_for_role(RoleName=self.name)["InstanceProfiles"] == []
            for each in self.iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"]:
                self.iam.detach_role_policy(RoleName=self.name, PolicyArn=each["PolicyArn"])
            for each in self.iam.list_role_policies(RoleName=self.name)["PolicyNames"]:
                self.iam.delete_role_policy(RoleName=self.name, PolicyName=each)
            self.iam.delete_role(RoleName=self.name)


class Policy(Resource):
    tagging = ("policy", "PolicyArn")
    first = {"document": policy("s3:GetObject"), "description": "", "tags": ONE}
    second = {"document": policy("s3:PutObject", "s3:GetObject"), "description": "", "tags": TWO}

    @property
    def id(self):
        return self.world.arn(f"policy/policies/{self.name}")

    def create(self, wanted):
        made = self.iam.create_policy(
            PolicyName=self.name, Path="/policies/", Description=wanted["description"],
            PolicyDocument=json.dumps(wanted["document"]), Tags=pairs(wanted["tags"]))
        assert made["Policy"]["Arn"] == self.id

    def read(self):
        found = self.iam.get_policy(PolicyArn=self.id)["Policy"]
        version = self.iam.get_policy_version(PolicyArn=self.id, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        assert version["IsDefaultVersion"]
        return {
            "document": version["Document"], "description": found.get("Description", ""),
            "tags": known(found.get("Tags"))}

    def update(self, old, new):
        """Seven times: the provider makes room when there are five versions."""
        for number in range(7):
            versions = self.iam.list_policy_versions(PolicyArn=self.id)["Versions"]
            if len(versions) >= 5:
                oldest = min((each for each in versions if not each["IsDefaultVersion"]), key=lambda each: each["CreateDate"])
                self.iam.delete_policy_version(PolicyArn=self.id, VersionId=oldest["VersionId"])
            self.iam.create_policy_version(
                PolicyArn=self.id, PolicyDocument=json.dumps(new["document"]), SetAsDefault=True)
        with refused("DeleteConflict", 409):
            self.iam.delete_policy(PolicyArn=self.id)
        self.retag(old, new)

    def delete(self):
        with gone():
            for each in self.iam.list_policy_versions(PolicyArn=self.id)["Versions"]:
                if not each["IsDefaultVersion"]:
                    self.iam.delete_policy_version(PolicyArn=self.id, VersionId=each["VersionId"])
            self.iam.delete_policy(PolicyArn=self.id)


class RolePolicy(Resource):
    first, second = {"document": policy("s3:GetObject")}, {"document": policy("s3:PutObject")}

    def prepare(self):
        self.role()

    def create(self, wanted):
        self.iam.put_role_policy(RoleName=self.owner, PolicyName=self.name, PolicyDocument=json.dumps(wanted["document"]))

    def read(self):
        return {"document": self.iam.get_role_policy(RoleName=self.owner, PolicyName=self.name)["PolicyDocument"]}

    def update(self, old, new):
        self.create(new)

    def delete(self):
        with gone():
            self.iam.delete_role_policy(RoleName=self.owner, PolicyName=self.name)


class RoleAttachment(Resource):
    first, second = {"arn": f"{AWS}/SecurityAudit"}, {"arn": f"{AWS}/job-function/ViewOnlyAccess"}

    def prepare(self):
        self.role()

    def create(self, wanted):
        self.arn = wanted["arn"]
        self.iam.attach_role_policy(RoleName=self.owner, PolicyArn=self.arn)

    def read(self):
        found = self.iam.list_attached_role_policies(RoleName=self.owner)["AttachedPolicies"]
        held = [each["PolicyArn"] for each in found if each["PolicyArn"] == self.arn]
        return {"arn": held[0]} if held else None

    def update(self, old, new):
        """Another policy is another resource: one goes, the other comes."""
        self.delete()
        self.create(new)

    def delete(self):
        with gone():
            self.iam.detach_role_policy(RoleName=self.owner, PolicyArn=self.arn)


class Attachment(Resource):
    """`aws_iam_policy_attachment`: one policy at everyone who has it."""

    first, second = {"users": 1, "roles": 1, "groups": 0}, {"users": 1, "roles": 0, "groups": 1}

    def prepare(self):
        self.role()
        self.arn = self.world.policy(policy("s3:GetObject"), name=self.name)
        self.iam.create_user(UserName=self.name)
        self.iam.create_group(GroupName=self.name)

    def create(self, wanted):
        self.iam.attach_role_policy(RoleName=self.owner, PolicyArn=self.arn)
        self.iam.attach_user_policy(UserName=self.name, PolicyArn=self.arn)

    def read(self):
        found = self.iam.list_entities_for_policy(PolicyArn=self.arn)
        state = {kind.lower(): len(found[f"Policy{kind}"]) for kind in ("Users", "Roles", "Groups")}
        return state if any(state.values()) else None

    def update(self, old, new):
        self.iam.detach_role_policy(RoleName=self.owner, PolicyArn=self.arn)
        self.iam.attach_group_policy(GroupName=self.name, PolicyArn=self.arn)
        with refused("DeleteConflict", 409):
            self.iam.delete_policy(PolicyArn=self.arn)

    def delete(self):
        with gone():
            self.iam.detach_group_policy(GroupName=self.name, PolicyArn=self.arn)
        with gone():
            self.iam.detach_role_policy(RoleName=self.owner, PolicyArn=self.arn)
        with gone():
            self.iam.detach_user_policy(UserName=self.name, PolicyArn=self.arn)

    def clear(self):
        super().clear()
        self.iam.delete_policy(PolicyArn=self.arn)
        self.iam.delete_user(UserName=self.name)
        self.iam.delete_group(GroupName=self.name)


class InstanceProfile(Resource):
    tagging = ("instance_profile", "InstanceProfileName")
    first, second = {"role": True, "tags": ONE}, {"role": False, "tags": TWO}

    def prepare(self):
        self.role()

    def create(self, wanted):
        self.iam.create_instance_profile(InstanceProfileName=self.name, Path="/p/", Tags=pairs(wanted["tags"]))
        self.iam.get_instance_profile(InstanceProfileName=self.name)
        self.iam.add_role_to_instance_profile(InstanceProfileName=self.name, RoleName=self.owner)

    def read(self):
        found = self.iam.get_instance_profile(InstanceProfileName=self.name)["InstanceProfile"]
        names = [role["RoleName"] for role in found["Roles"]]
        assert names in ([], [self.owner]) and found["Path"] == "/p/"
        return {"role": bool(names), "tags": known(found.get("Tags"))}

    def update(self, old, new):
        with refused("DeleteConflict", 409):
            self.iam.delete_role(RoleName=self.owner)
        self.iam.remove_role_from_instance_profile(InstanceProfileName=self.name, RoleName=self.owner)
        self.retag(old, new)

    def delete(self):
        with gone():
            self.iam.delete_instance_profile(InstanceProfileName=self.name)
