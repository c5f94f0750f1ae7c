"""Credentials, providers and account settings as Terraform's AWS provider handles them, call by call."""

from conftest import refused
from material import saml, text
from terraform_resources import ONE, TWO, Resource, gone, known, pairs


class AccessKey(Resource):
    first, second = {"status": "Active"}, {"status": "Inactive"}

    def prepare(self):
        self.user()

    def create(self, wanted):
        self.key = self.iam.create_access_key(UserName=self.owner)["AccessKey"]
        assert self.key["SecretAccessKey"] and self.key["CreateDate"]

    def read(self):
        found = self.iam.list_access_keys(UserName=self.owner)["AccessKeyMetadata"]
        held = [each for each in found if each["AccessKeyId"] == self.key["AccessKeyId"]]
        return {"status": held[0]["Status"]} if held else None

    def update(self, old, new):
        self.iam.update_access_key(
            UserName=self.owner, AccessKeyId=self.key["AccessKeyId"], Status=new["status"])

    def delete(self):
        with gone():
            self.iam.delete_access_key(UserName=self.owner, AccessKeyId=self.key["AccessKeyId"])


class LoginProfile(Resource):
    """It cannot be changed: every change makes it anew."""

    first, second = {"reset": True}, {"reset": False}

    def prepare(self):
        self.user()

    def create(self, wanted):
        made = self.iam.create_login_profile(
            UserName=self.owner, Password="7uO$mZ-fRz4)qPaWt!eL", PasswordResetRequired=wanted["reset"])
        assert made["LoginProfile"]["PasswordResetRequired"] == wanted["reset"]

    def read(self):
        return {"reset": self.iam.get_login_profile(UserName=self.owner)["LoginProfile"]["PasswordResetRequired"]}

    def update(self, old, new):
        with refused("DeleteConflict", 409):
            self.iam.delete_user(UserName=self.owner)
        self.delete()
        self.create(new)

    def delete(self):
        with gone():
            self.iam.delete_login_profile(UserName=self.owner)


class OidcProvider(Resource):
    tagging = ("open_id_connect_provider", "OpenIDConnectProviderArn")
    first = {"clients": ["client", "first"], "thumbprints": ["a" * 40], "tags": ONE}
    second = {"clients": ["client", "second"], "thumbprints": ["b" * 40], "tags": TWO}

    @property
    def id(self):
        return self.world.arn(f"oidc-provider/{self.name}.example.com")

    def create(self, wanted):
        made = self.iam.create_open_id_connect_provider(
            Url=f"https://{self.name}.example.com", ClientIDList=wanted["clients"],
            ThumbprintList=wanted["thumbprints"], Tags=pairs(wanted["tags"]))
        assert made["OpenIDConnectProviderArn"] == self.id

    def read(self):
        found = self.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=self.id)
        assert found["Url"] == f"{self.name}.example.com"
        return {
            "clients": sorted(found["ClientIDList"]), "thumbprints": found["ThumbprintList"],
            "tags": known(found.get("Tags"))}

    def update(self, old, new):
        name = {"OpenIDConnectProviderArn": self.id}
        self.iam.update_open_id_connect_provider_thumbprint(ThumbprintList=new["thumbprints"], **name)
        self.iam.add_client_id_to_open_id_connect_provider(ClientID="second", **name)
        self.iam.remove_client_id_from_open_id_connect_provider(ClientID="first", **name)
        self.retag(old, new)

    def delete(self):
        with gone():
            self.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=self.id)


class SamlProvider(Resource):
    tagging = ("saml_provider", "SAMLProviderArn")
    first, second = {"document": saml("first"), "tags": ONE}, {"document": saml("second"), "tags": TWO}

    @property
    def id(self):
        return self.world.arn(f"saml-provider/{self.name}")

    def create(self, wanted):
        self.iam.create_saml_provider(
            Name=self.name, SAMLMetadataDocument=wanted["document"], Tags=pairs(wanted["tags"]))

    def read(self):
        found = self.iam.get_saml_provider(SAMLProviderArn=self.id)
        assert found["ValidUntil"].year == 2099 and found["SAMLProviderUUID"]
        return {"document": found["SAMLMetadataDocument"], "tags": known(found.get("Tags"))}

    def update(self, old, new):
        self.iam.update_saml_provider(SAMLProviderArn=self.id, SAMLMetadataDocument=new["document"])
        self.retag(old, new)

    def delete(self):
        with gone():
            self.iam.delete_saml_provider(SAMLProviderArn=self.id)


class PasswordPolicy(Resource):
    first = {
        "MinimumPasswordLength": 12, "RequireSymbols": True, "RequireNumbers": True,
        "RequireLowercaseCharacters": True, "RequireUppercaseCharacters": False, "AllowUsersToChangePassword": True}
    second = first | {
        "MinimumPasswordLength": 16, "RequireUppercaseCharacters": True, "HardExpiry": True, "MaxPasswordAge": 90,
        "PasswordReusePrevention": 24}

    def create(self, wanted):
        self.iam.update_account_password_policy(**{name: value for name, value in wanted.items() if value})

    def read(self):
        found = self.iam.get_account_password_policy()["PasswordPolicy"]
        expires = found.pop("ExpirePasswords")
        assert expires == bool(found.get("MaxPasswordAge", 0))
        return {name: value for name, value in found.items() if value or name in self.first}

    def update(self, old, new):
        self.create(new)

    def delete(self):
        with gone():
            self.iam.delete_account_password_policy()


class ServerCertificate(Resource):
    tagging = ("server_certificate", "ServerCertificateName")
    first, second = {"body": text("leaf.pem").strip(), "tags": ONE}, {"body": text("leaf.pem").strip(), "tags": TWO}

    def create(self, wanted):
        """The file's last newline is sent; the state has the text without it."""
        self.iam.upload_server_certificate(
            ServerCertificateName=self.name, Path="/cloudfront/", CertificateBody=wanted["body"] + "\n",
            PrivateKey=text("leaf-key.pem"), Tags=pairs(wanted["tags"]))

    def read(self):
        found = self.iam.get_server_certificate(ServerCertificateName=self.name)["ServerCertificate"]
        return {"body": found["CertificateBody"], "tags": known(found.get("Tags"))}

    def update(self, old, new):
        self.retag(old, new)

    def delete(self):
        with gone():
            self.iam.delete_server_certificate(ServerCertificateName=self.name)


class SshKey(Resource):
    first, second = {"status": "Active"}, {"status": "Inactive"}

    def prepare(self):
        self.user()

    def create(self, wanted):
        made = self.iam.upload_ssh_public_key(UserName=self.owner, SSHPublicKeyBody=text("ssh-a.pub").strip())
        self.name = made["SSHPublicKey"]["SSHPublicKeyId"]

    def read(self):
        found = self.iam.get_ssh_public_key(
            UserName=self.owner, SSHPublicKeyId=self.name, Encoding="SSH")["SSHPublicKey"]
        assert found["SSHPublicKeyBody"].split()[:2] == text("ssh-a.pub").split()[:2]
        return {"status": found["Status"]}

    def update(self, old, new):
        self.iam.update_ssh_public_key(UserName=self.owner, SSHPublicKeyId=self.name, Status=new["status"])

    def delete(self):
        with gone():
            self.iam.delete_ssh_public_key(UserName=self.owner, SSHPublicKeyId=self.name)


class SigningCertificate(Resource):
    first, second = {"status": "Active"}, {"status": "Inactive"}

    def prepare(self):
        self.user()

    def create(self, wanted):
        made = self.iam.upload_signing_certificate(UserName=self.owner, CertificateBody=text("signing-a.pem"))
        self.name = made["Certificate"]["CertificateId"]

    def read(self):
        """The text comes back as it was sent: the provider would make it anew for one newline."""
        found = [
            each for each in self.iam.list_signing_certificates(UserName=self.owner)["Certificates"]
            if each["CertificateId"] == self.name]
        assert all(each["CertificateBody"] == text("signing-a.pem") for each in found)
        return {"status": found[0]["Status"]} if found else None

    def update(self, old, new):
        self.iam.update_signing_certificate(UserName=self.owner, CertificateId=self.name, Status=new["status"])

    def delete(self):
        with gone():
            self.iam.delete_signing_certificate(UserName=self.owner, CertificateId=self.name)
