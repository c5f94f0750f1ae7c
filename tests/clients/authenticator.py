"""A security key in software, with the browser before it.

The structures are written by Yubico's `fido2`, the signatures made by `cryptography`: neither knows
anything of the server.
"""

import base64
import datetime
import json
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import NameOID
from fido2 import cose
from fido2.utils import sha256
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticationResponse,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    AuthenticatorData,
    CollectedClientData,
    RegistrationResponse,
)

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP = 0x01, 0x04, 0x08, 0x10

ALGORITHMS = {
    "ES256": (cose.ES256, lambda: ec.generate_private_key(ec.SECP256R1())),
    "ES384": (cose.ES384, lambda: ec.generate_private_key(ec.SECP384R1())),
    "ES512": (cose.ES512, lambda: ec.generate_private_key(ec.SECP521R1())),
    "EdDSA": (cose.EdDSA, ed25519.Ed25519PrivateKey.generate),
    "Ed448": (cose.Ed448, ed448.Ed448PrivateKey.generate),
    "RS256": (cose.RS256, lambda: rsa.generate_private_key(65537, 2048)),
}


def encoded(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    """What such a text stands for."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(key, message):
    """A signature by a key of any kind."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)):
        return key.sign(message)
    hash_of = {256: hashes.SHA256, 384: hashes.SHA384, 521: hashes.SHA512}[key.curve.key_size]
    return key.sign(message, ec.ECDSA(hash_of()))


class Authenticator:
    """A device with one key. What it says can be changed."""

    def __init__(self, algorithm="ES256", attestation="none", origin=None):
        self.algorithm, make = ALGORITHMS[algorithm]
        self.key = make()
        self.attestation, self.origin = attestation, origin
        self.credential_id = os.urandom(32)
        self.aaguid = os.urandom(16)
        self.user_handle = None
        self.count = 0
        self.flags = PRESENT | VERIFIED
        self.rp_id = None
        self.hide_count = False

    def counted(self):
        """The next count of signatures."""
        self.count += 1
        return 0 if self.hide_count else self.count

    def client_data(self, kind, options):
        return CollectedClientData.create(type=kind, challenge=decoded(options["challenge"]), origin=self.origin)

    def create(self, options):
        """What `navigator.credentials.create` makes of options."""
        if isinstance(options, str):
            options = json.loads(options)
        assert self.algorithm.ALGORITHM in [held["alg"] for held in options["pubKeyCredParams"]]
        assert encoded(self.credential_id) not in [held["id"] for held in options["excludeCredentials"]]
        rp_id = self.rp_id or options["rp"]["id"]
        self.user_handle = decoded(options["user"]["id"])
        public = self.algorithm.from_cryptography_key(self.key.public_key())
        attested = AttestedCredentialData.create(self.aaguid, self.credential_id, public)
        flags = AuthenticatorData.FLAG(self.flags | 0x40)
        data = AuthenticatorData.create(sha256(rp_id.encode()), flags, self.counted(), attested)
        client = self.client_data("webauthn.create", options)
        fmt, statement = self.statement(data, public, client.hash)
        answer = RegistrationResponse(
            raw_id=self.credential_id,
            response=AuthenticatorAttestationResponse(
                client_data=client, attestation_object=AttestationObject.create(fmt, data, statement)
            ),
        )
        return plain(answer)

    def statement(self, data, public, client_hash):
        """The attestation: of none, packed by itself or by a certificate, or as U2F has it."""
        if self.attestation == "none":
            return "none", {}
        message = data + client_hash
        if self.attestation == "self":
            return "packed", {"alg": public.ALGORITHM, "sig": sign(self.key, message)}
        signer = ec.generate_private_key(ec.SECP256R1())
        chain = [certificate(signer, None if self.attestation == "fido-u2f" else self.aaguid)]
        if self.attestation == "packed":
            return "packed", {"alg": -7, "sig": sign(signer, message), "x5c": chain}
        assert self.attestation == "fido-u2f"
        message = b"\0" + data.rp_id_hash + client_hash + self.credential_id + b"\4" + public[-2] + public[-3]
        return "fido-u2f", {"sig": sign(signer, message), "x5c": chain}

    def get(self, options):
        """What `navigator.credentials.get` makes of options."""
        assert encoded(self.credential_id) in [held["id"] for held in options["allowCredentials"]]
        rp_id = self.rp_id or options["rpId"]
        data = AuthenticatorData.create(sha256(rp_id.encode()), AuthenticatorData.FLAG(self.flags), self.counted())
        client = self.client_data("webauthn.get", options)
        answer = AuthenticationResponse(
            raw_id=self.credential_id,
            response=AuthenticatorAssertionResponse(
                client_data=client,
                authenticator_data=data,
                signature=sign(self.key, data + client.hash),
                user_handle=self.user_handle,
            ),
        )
        return plain(answer)


def plain(answer):
    """An answer as a browser's `toJSON` gives it out."""
    answer = json.loads(json.dumps(dict(answer), default=dict))
    answer.setdefault("id", answer["rawId"])
    answer.setdefault("type", "public-key")
    return answer


def certificate(key, aaguid):
    """A certificate for attestation, by an authority that nobody knows."""
    name = x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "AA"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Keys"),
        x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Authenticator Attestation"),
        x509.NameAttribute(NameOID.COMMON_NAME, "Key 1"),
    ])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    )
    if aaguid:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.45724.1.1.4")
        built = built.add_extension(x509.UnrecognizedExtension(oid, b"\x04\x10" + aaguid), critical=False)
    authority = ec.generate_private_key(ec.SECP256R1())
    return built.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
