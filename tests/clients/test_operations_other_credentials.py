"""SSH keys, signing and server certificates, and service-specific credentials.

The certificates are made by OpenSSL here, so that what is taken is what people have.
"""

import json
import pathlib
import re
import subprocess

import process
import pytest
from conftest import ACCOUNT, ROOT, allow, paged, refused
from signing import Wire

FIXTURES = ROOT / "crates/testkit/src/certificates"
GIT, CQL = "codecommit.amazonaws.com", "cassandra.amazonaws.com"


def openssl(*words, **more):
    """Runs OpenSSL and returns what it prints."""
    done = subprocess.run(["openssl", *words], check=True, capture_output=True, text=True, **more)
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A root, an intermediate and a leaf with their keys; the leaf's key of each kind."""
    folder = tmp_path_factory.mktemp("certificates")

    def path(name):
        return str(folder / name)

    def key(name, *kind):
        openssl("genpkey", *kind, "-out", path(f"{name}.key"))

    def signed(name, issuer, authority):
        (folder / f"{name}.cnf").write_text(f"basicConstraints=critical,CA:{authority}\n")
        openssl("req", "-new", "-key", path(f"{name}.key"), "-subj", f"/CN={name}", "-out", path(f"{name}.csr"))
        by = ["-signkey", path(f"{name}.key")] if issuer == name else [
            "-CA", path(f"{issuer}.pem"), "-CAkey", path(f"{issuer}.key"), "-CAcreateserial"]
        openssl("x509", "-req", "-in", path(f"{name}.csr"), *by, "-days", "90",
                "-extfile", path(f"{name}.cnf"), "-out", path(f"{name}.pem"))

    rsa = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    for name, kind, issuer, authority in (
        ("root", curve, "root", "TRUE"), ("between", rsa, "root", "TRUE"), ("leaf", rsa, "between", "FALSE"),
        ("curve", curve, "between", "FALSE"), ("alone", curve, "alone", "FALSE"), ("second", curve, "second", "FALSE"),
        ("third", curve, "third", "FALSE"),
    ):
        key(name, *kind)
        signed(name, issuer, authority)
    texts = {file.name: file.read_text() for file in folder.iterdir() if file.suffix in (".pem", ".key")}
    texts["leaf.pkcs1"] = openssl("rsa", "-in", path("leaf.key"), "-traditional")
    texts["curve.sec1"] = openssl("ec", "-in", path("curve.key"))
    texts["leaf.locked"] = openssl("pkcs8", "-topk8", "-in", path("leaf.key"), "-passout", "pass:word")
    return texts


def ssh_keys(folder, count):
    """New SSH keys: the line, the fingerprint and the PEM that ssh-keygen makes of each."""
    found = []
    for number in range(count):
        path = pathlib.Path(folder, f"key{number}")
        subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", f"ann {number}", "-f", path], check=True)
        line = path.with_suffix(".pub").read_text()
        listed = subprocess.run(["ssh-keygen", "-E", "md5", "-lf", f"{path}.pub"], check=True, capture_output=True, text=True)
        pem = subprocess.run(["ssh-keygen", "-e", "-m", "PKCS8", "-f", f"{path}.pub"], check=True, capture_output=True, text=True)
        found.append((line, re.search(r"MD5:([0-9a-f:]+)", listed.stdout)[1], pem.stdout))
    return found


def test_ssh_public_keys(world, tmp_path):
    iam, name = world.iam, world.name("user")
    iam.create_user(UserName=name)
    keys = ssh_keys(tmp_path, 6)
    ids = []
    for line, fingerprint, pem in keys[:5]:
        made = iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody=line)["SSHPublicKey"]
        assert (made["Fingerprint"], made["Status"], made["SSHPublicKeyBody"]) == (fingerprint, "Active", line)
        assert re.fullmatch(r"APKA[A-Z2-7]{17}", made["SSHPublicKeyId"])
        ids.append(made["SSHPublicKeyId"])
        for encoding, body in (("SSH", line), ("PEM", pem)):
            got = iam.get_ssh_public_key(UserName=name, SSHPublicKeyId=ids[-1], Encoding=encoding)["SSHPublicKey"]
            assert got["SSHPublicKeyBody"].split() == body.split()
    with refused("LimitExceeded", 409, "Cannot exceed quota for SSHPublicKeysPerUser: 5"):
        iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody=keys[5][0])
    with refused("DuplicateSSHPublicKey", 400):
        iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody=keys[0][2])
    with refused("InvalidPublicKey", 400):
        iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody="ssh-rsa AAAAB3NzaC1yc2E=")
    for other in ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== a", "nothing of the kind"):
        with refused("UnrecognizedPublicKeyEncoding", 400):
            iam.upload_ssh_public_key(UserName=name, SSHPublicKeyBody=other)
    with refused("ValidationError", 400):
        iam.get_ssh_public_key(UserName=name, SSHPublicKeyId=ids[0], Encoding="DER")
    paged(iam.list_ssh_public_keys, "SSHPublicKeys", ids, lambda key: key["SSHPublicKeyId"], UserName=name)
    iam.update_ssh_public_key(UserName=name, SSHPublicKeyId=ids[0], Status="Inactive")
    listed = {key["SSHPublicKeyId"]: key["Status"] for key in iam.list_ssh_public_keys(UserName=name)["SSHPublicKeys"]}
    assert listed[ids[0]] == "Inactive" and listed[ids[1]] == "Active"
    with refused("InvalidInput", 400):
        iam.update_ssh_public_key(UserName=name, SSHPublicKeyId=ids[0], Status="Expired")
    with refused("DeleteConflict", 409, "Cannot delete entity, must delete SSH public keys first."):
        iam.delete_user(UserName=name)
    for id in ids:
        iam.delete_ssh_public_key(UserName=name, SSHPublicKeyId=id)
    for call in (
        lambda **who: iam.delete_ssh_public_key(SSHPublicKeyId=ids[0], **who),
        lambda **who: iam.update_ssh_public_key(SSHPublicKeyId=ids[0], Status="Active", **who),
        lambda **who: iam.get_ssh_public_key(SSHPublicKeyId=ids[0], Encoding="SSH", **who),
    ):
        with refused("NoSuchEntity", 404, f"The SSH Public Key with id {ids[0]} cannot be found."):
            call(UserName=name)
        with refused("NoSuchEntity", 404, "The user with name ghost cannot be found."):
            call(UserName="ghost")
    iam.delete_user(UserName=name)


def test_signing_certificates(world, made):
    iam, name = world.iam, world.name("user")
    iam.create_user(UserName=name)
    one = iam.upload_signing_certificate(UserName=name, CertificateBody=made["alone.pem"])["Certificate"]
    assert (one["Status"], one["CertificateBody"], one["UserName"]) == ("Active", made["alone.pem"], name)
    assert re.fullmatch(r"[A-Z2-7]{32}", one["CertificateId"])
    with refused("DuplicateCertificate", 409):
        iam.upload_signing_certificate(UserName=name, CertificateBody=made["alone.pem"])
    with refused("InvalidCertificate", 400):
        iam.upload_signing_certificate(UserName=name, CertificateBody=(FIXTURES / "expired.pem").read_text())
    for broken in ("words", made["alone.key"], made["alone.pem"] * 2, made["alone.pem"].replace("M", "N", 5)):
        with refused("MalformedCertificate", 400):
            iam.upload_signing_certificate(UserName=name, CertificateBody=broken)
    two = iam.upload_signing_certificate(UserName=name, CertificateBody=made["second.pem"])["Certificate"]
    with refused("LimitExceeded", 409, "Cannot exceed quota for SigningCertificatesPerUser: 2"):
        iam.upload_signing_certificate(UserName=name, CertificateBody=made["third.pem"])
    ids = [one["CertificateId"], two["CertificateId"]]
    paged(iam.list_signing_certificates, "Certificates", ids, lambda held: held["CertificateId"], UserName=name)
    iam.update_signing_certificate(UserName=name, CertificateId=ids[0], Status="Inactive")
    with refused("InvalidInput", 400):
        iam.update_signing_certificate(UserName=name, CertificateId=ids[0], Status="Expired")
    with refused("DeleteConflict", 409, "Cannot delete entity, must delete signing certificates first."):
        iam.delete_user(UserName=name)
    for id in ids:
        iam.delete_signing_certificate(UserName=name, CertificateId=id)
    for call in (
        lambda: iam.delete_signing_certificate(UserName=name, CertificateId=ids[0]),
        lambda: iam.update_signing_certificate(UserName=name, CertificateId=ids[0], Status="Active"),
        lambda: iam.list_signing_certificates(UserName="ghost"),
        lambda: iam.upload_signing_certificate(UserName="ghost", CertificateBody=made["third.pem"]),
    ):
        with refused("NoSuchEntity", 404):
            call()
    iam.delete_user(UserName=name)


def test_server_certificates(world, made):
    iam, name, other = world.iam, world.name("site"), world.name("site")
    chain = made["between.pem"] + made["root.pem"]
    tags = [{"Key": "Team", "Value": "web"}]
    new = iam.upload_server_certificate(
        ServerCertificateName=name, Path="/web/", CertificateBody=made["leaf.pem"], PrivateKey=made["leaf.key"],
        CertificateChain=chain, Tags=tags)
    found = new["ServerCertificateMetadata"]
    assert found["Arn"] == world.arn(f"server-certificate/web/{name}") and new["Tags"] == tags
    assert re.fullmatch(r"ASCA[A-Z2-7]{17}", found["ServerCertificateId"])
    assert 88 <= (found["Expiration"] - found["UploadDate"]).days <= 90
    got = iam.get_server_certificate(ServerCertificateName=name)["ServerCertificate"]
    assert (got["CertificateBody"], got["CertificateChain"], got["Tags"]) == (made["leaf.pem"].strip(), chain.strip(), tags)
    assert "PRIVATE" not in json.dumps(got, default=str)

    def upload(body, key, chain=None, name=other):
        more = {"CertificateChain": chain} if chain else {}
        return iam.upload_server_certificate(ServerCertificateName=name, CertificateBody=body, PrivateKey=key, **more)

    with refused("EntityAlreadyExists", 409, f"The Server Certificate with name {name.upper()} already exists."):
        upload(made["leaf.pem"], made["leaf.key"], name=name.upper())
    for body, key, bad_chain, code in (
        ("leaf.pem", "curve.key", None, "KeyPairMismatch"),
        ("curve.pem", "alone.key", None, "KeyPairMismatch"),
        ("leaf.pem", "leaf.locked", None, "MalformedCertificate"),
        ("leaf.pem", "leaf.pem", None, "MalformedCertificate"),
        ("leaf.key", "leaf.key", None, "MalformedCertificate"),
        ("leaf.pem", "leaf.key", made["root.pem"] + made["between.pem"], "MalformedCertificate"),
        ("leaf.pem", "leaf.key", made["alone.pem"], "MalformedCertificate"),
        ("leaf.pem", "leaf.key", "words", "MalformedCertificate"),
    ):
        with refused(code, 400):
            upload(made[body], made[key], bad_chain)
    for body, key, good_chain in (("leaf.pem", "leaf.pkcs1", None), ("curve.pem", "curve.sec1", made["between.pem"]),
                                  ("curve.pem", "curve.key", chain), ("alone.pem", "alone.key", None)):
        upload(made[body], made[key], good_chain)
        iam.delete_server_certificate(ServerCertificateName=other)

    iam.tag_server_certificate(ServerCertificateName=name, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "b", "Value": ""}])
    paged(iam.list_server_certificate_tags, "Tags", ["b", "team"], lambda tag: tag["Key"], ServerCertificateName=name)
    iam.untag_server_certificate(ServerCertificateName=name, TagKeys=["Team", "team", "B"])
    assert iam.list_server_certificate_tags(ServerCertificateName=name)["Tags"] == [{"Key": "b", "Value": ""}]
    with refused("InvalidInput", 400):
        iam.tag_server_certificate(ServerCertificateName=name, Tags=[{"Key": "a", "Value": ""}, {"Key": "a", "Value": ""}])
    upload(made["curve.pem"], made["curve.key"])
    with refused("EntityAlreadyExists", 409):
        iam.update_server_certificate(ServerCertificateName=other, NewServerCertificateName=name)
    iam.update_server_certificate(ServerCertificateName=name, NewServerCertificateName=f"{name}-b", NewPath="/shop/")
    held = paged(iam.list_server_certificates, "ServerCertificateMetadataList", [f"{name}-b", other],
                 lambda held: held["ServerCertificateName"])
    assert held
    listed = iam.list_server_certificates(PathPrefix="/shop/")["ServerCertificateMetadataList"]
    assert [(held["Arn"], held["ServerCertificateId"]) for held in listed] == [
        (world.arn(f"server-certificate/shop/{name}-b"), found["ServerCertificateId"])]
    assert iam.get_account_summary()["SummaryMap"]["ServerCertificates"] >= 2
    for gone in (f"{name}-b", other):
        iam.delete_server_certificate(ServerCertificateName=gone)
    for call in (iam.get_server_certificate, iam.delete_server_certificate, iam.update_server_certificate,
                 iam.list_server_certificate_tags):
        with refused("NoSuchEntity", 404, f"The Server Certificate with name {other} cannot be found."):
            call(ServerCertificateName=other)


def test_a_private_key_is_in_no_event(world, made):
    name = world.name("site")
    answer = world.iam.upload_server_certificate(
        ServerCertificateName=name, CertificateBody=made["leaf.pem"], PrivateKey=made["leaf.key"])
    event = world.event_of(answer["ResponseMetadata"]["RequestId"])
    assert event["requestParameters"]["serverCertificateName"] == name
    assert made["leaf.key"].splitlines()[1] not in json.dumps(event)
    world.iam.delete_server_certificate(ServerCertificateName=name)


def verify(wire, service, name, password):
    """What a front asks about its client."""
    asked = {"ServiceName": service, "ServiceUserName": name, "ServicePassword": password}
    return wire.own("VerifyServiceSpecificCredential", **asked)


@pytest.mark.parametrize("service", [GIT, CQL])
def test_tm_m44_m46_service_specific_credentials(world, service):
    iam, name = world.iam, world.name("user")
    iam.create_user(UserName=name)
    one = iam.create_service_specific_credential(UserName=name, ServiceName=service)["ServiceSpecificCredential"]
    assert one["ServiceUserName"] == f"{name}-at-{ACCOUNT}" and len(one["ServicePassword"]) == 44
    two = iam.create_service_specific_credential(UserName=name, ServiceName=service)["ServiceSpecificCredential"]
    assert two["ServiceUserName"] == f"{name}+1-at-{ACCOUNT}"
    with refused("LimitExceeded", 409):
        iam.create_service_specific_credential(UserName=name, ServiceName=service)
    listed = iam.list_service_specific_credentials(UserName=name, ServiceName=service)["ServiceSpecificCredentials"]
    assert {held["ServiceSpecificCredentialId"] for held in listed} == {
        one["ServiceSpecificCredentialId"], two["ServiceSpecificCredentialId"]}
    assert "Password" not in json.dumps(listed, default=str)

    front = world.user(allow("bailiwick:VerifyServiceSpecificCredential")).wire

    def ask(held, password=None, of=service):
        return verify(front, of, held["ServiceUserName"], password or held["ServicePassword"])

    assert ask(one).json()["Arn"] == world.arn(f"user/{name}")
    assert ask(one).json()["LastUsedDate"]
    for wrong in (ask(one, two["ServicePassword"]), ask(one, of=CQL if service == GIT else GIT)):
        assert (wrong.status, wrong.code) == (403, "CredentialNotValid")
    who = {"UserName": name, "ServiceSpecificCredentialId": one["ServiceSpecificCredentialId"]}
    iam.update_service_specific_credential(Status="Inactive", **who)
    assert ask(one).code == "CredentialNotValid"
    iam.update_service_specific_credential(Status="Active", **who)
    fresh = iam.reset_service_specific_credential(**who)["ServiceSpecificCredential"]
    assert ask(one).code == "CredentialNotValid" and ask(fresh).status == 200
    event = world.event_of(ask(fresh).request_id)
    assert event["eventName"] == "VerifyServiceSpecificCredential"
    assert fresh["ServicePassword"] not in json.dumps(event)
    unknown = {"ServiceUserName": f"{world.name('ghost')}-at-{ACCOUNT}", "ServicePassword": "wrong"}
    answers = [ask(unknown).code for _ in range(7)]
    assert answers[:5] == ["CredentialNotValid"] * 5 and answers[6].startswith("Throttling"), answers
    with refused("NotSupportedService", 404):
        iam.create_service_specific_credential(UserName=name, ServiceName="s3.amazonaws.com")
    with refused("NotSupportedService", 404):
        iam.list_service_specific_credentials(UserName=name, ServiceName="s3.amazonaws.com")
    with refused("DeleteConflict", 409):
        iam.delete_user(UserName=name)
    iam.delete_service_specific_credential(**who)
    assert ask(fresh).code == "CredentialNotValid"
    for call in (iam.delete_service_specific_credential, iam.reset_service_specific_credential,
                 lambda **who: iam.update_service_specific_credential(Status="Active", **who)):
        with refused("NoSuchEntity", 404):
            call(**who)


def test_everything_is_there_after_the_process_was_killed(binary, made, tmp_path):
    with process.Server(binary, account=ACCOUNT) as server:
        wire = Wire(server.url, server.key())

        def done(action, **parameters):
            answer = wire.call("iam", action, **parameters)
            assert answer.status == 200, answer.text
            return answer

        done("CreateUser", UserName="ann")
        line = ssh_keys(tmp_path, 1)[0][0]
        key = done("UploadSSHPublicKey", UserName="ann", SSHPublicKeyBody=line).find("SSHPublicKeyId")
        signing = done("UploadSigningCertificate", UserName="ann", CertificateBody=made["alone.pem"]).find("CertificateId")
        done("UploadServerCertificate", ServerCertificateName="site", CertificateBody=made["leaf.pem"],
             PrivateKey=made["leaf.key"], CertificateChain=made["between.pem"])
        service = done("CreateServiceSpecificCredential", UserName="ann", ServiceName=GIT)
        name, password = service.find("ServiceUserName"), service.find("ServicePassword")
        server.kill()
        server.start()
        wire = Wire(server.url, server.key())
        got = done("GetSSHPublicKey", UserName="ann", SSHPublicKeyId=key, Encoding="SSH")
        assert got.find("SSHPublicKeyBody") == line.strip()
        assert done("ListSigningCertificates", UserName="ann").find("CertificateId") == signing
        assert done("GetServerCertificate", ServerCertificateName="site").find("CertificateBody").split() == made["leaf.pem"].split()
        assert verify(wire, GIT, name, password).json()["UserName"] == "ann"
        assert server.stop() == 0
        server.start()
        wire = Wire(server.url, server.key())
        assert verify(wire, GIT, name, password).json()["LastUsedDate"]
