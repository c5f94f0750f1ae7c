"""Tokens for services outside: issued through boto3, and verified as an outside service does it, with
PyJWT and nothing but the issuer's address."""

import json
import re
import urllib.error
import urllib.request

import jwt
import process
import pytest
from conftest import ACCOUNT, OTHER_ACCOUNT, World, allow, deny, refused, trust

OWN = "https://sts.amazonaws.com/"
AUDIENCE = "https://outside.example.com"


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["content-type"] == "application/json"
        return json.load(answer)


def verified(issuer, token, audience=AUDIENCE):
    """The claims of a token, by the keys that its issuer publishes."""
    configuration = read(f"{issuer}/.well-known/openid-configuration")
    assert configuration["issuer"] == issuer
    key = jwt.PyJWKClient(configuration["jwks_uri"]).get_signing_key_from_jwt(token)
    algorithms = configuration["id_token_signing_alg_values_supported"]
    return jwt.decode(token, key.key, algorithms=algorithms, audience=audience, issuer=issuer)


@pytest.fixture
def issuer(world):
    """The account's issuer, switched on for the test."""
    yield world.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
    try:
        world.iam.disable_outbound_web_identity_federation()
    except world.iam.exceptions.FeatureDisabledException:
        pass  # The test has done so.


@pytest.mark.parametrize("algorithm", ["RS256", "ES384"])
def test_an_outside_service_verifies_a_users_token(world, issuer, algorithm):
    alice = world.user(allow("sts:*"), Tags=[{"Key": "team", "Value": "data"}])
    tags = [{"Key": "job", "Value": "7"}]
    made = alice.sts.get_web_identity_token(Audience=[AUDIENCE], SigningAlgorithm=algorithm, Tags=tags)
    assert jwt.get_unverified_header(made["WebIdentityToken"])["alg"] == algorithm
    claims = verified(issuer, made["WebIdentityToken"])
    assert (claims["sub"], claims["aud"], claims["exp"] - claims["iat"]) == (alice.arn, AUDIENCE, 300)
    assert claims["exp"] == made["Expiration"].timestamp()
    assert claims[OWN] == {
        "aws_account": ACCOUNT,
        "principal_id": alice.arn,
        "source_region": "us-east-1",
        "principal_tags": {"team": "data"},
        "request_tags": {"job": "7"},
    }
    body = made["WebIdentityToken"].split(".")
    other = ("B" if body[2][0] == "A" else "A") + body[2][1:]
    with pytest.raises(jwt.InvalidSignatureError):
        verified(issuer, ".".join([body[0], body[1], other]))
    with pytest.raises(jwt.InvalidAudienceError):
        verified(issuer, made["WebIdentityToken"], "https://elsewhere.example.com")


def test_a_session_is_its_role(world, issuer):
    alice = world.user(allow("sts:AssumeRole", "sts:TagSession"))
    role = world.role(
        trust(alice.arn, action=["sts:AssumeRole", "sts:TagSession"]),
        allow("sts:GetWebIdentityToken"),
        Path="/jobs/",
        Tags=[{"Key": "stage", "Value": "test"}],
    )
    session = alice.assume(role, DurationSeconds=900, Tags=[{"Key": "Stage", "Value": "prod"}])
    made = session.sts.get_web_identity_token(
        Audience=[AUDIENCE, "b"], SigningAlgorithm="ES384", DurationSeconds=600)
    claims = verified(issuer, made["WebIdentityToken"])
    assert (claims["sub"], claims["aud"]) == (role, [AUDIENCE, "b"])
    assert claims[OWN]["principal_tags"] == {"Stage": "prod"}
    assert claims[OWN]["original_session_exp"].endswith("Z")
    with refused("SessionDurationEscalationException", 403):
        session.sts.get_web_identity_token(
            Audience=[AUDIENCE], SigningAlgorithm="ES384", DurationSeconds=3600)


def test_policies_decide_audience_duration_and_algorithm(world, issuer):
    ask = dict(Audience=[AUDIENCE], SigningAlgorithm="ES384")
    with refused("AccessDenied", 403):
        world.user().sts.get_web_identity_token(**ask)
    alice = world.user(
        allow("sts:GetWebIdentityToken", **{
            "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": AUDIENCE},
            "NumericLessThanEquals": {"sts:DurationSeconds": "300"},
            "StringEquals": {"sts:SigningAlgorithm": "ES384"},
        }))
    alice.sts.get_web_identity_token(**ask)
    for other in (
        {"Audience": [AUDIENCE, "https://other.example.com"]},
        {"DurationSeconds": 301},
        {"SigningAlgorithm": "RS256"},
        # Tags need a permission of their own.
        {"Tags": [{"Key": "a", "Value": "b"}]},
    ):
        with refused("AccessDenied", 403):
            alice.sts.get_web_identity_token(**ask | other)


def test_what_is_wrong_is_refused(world, issuer):
    sts, ask = world.sts, dict(Audience=[AUDIENCE], SigningAlgorithm="ES384")
    for wrong in ({"SigningAlgorithm": "none"}, {"SigningAlgorithm": "HS256"}, {"DurationSeconds": 59},
                  {"DurationSeconds": 3601}, {"Audience": []}, {"Audience": ["a"] * 11}):
        with refused("ValidationError", 400):
            sts.get_web_identity_token(**ask | wrong)
    with refused("JWTPayloadSizeExceededException", 400):
        sts.get_web_identity_token(**ask | {"Audience": [f"{n}" * 999 for n in range(10)]})


def test_off_means_no_more_tokens_and_old_ones_stay_good(world, issuer):
    ask = dict(Audience=[AUDIENCE], SigningAlgorithm="ES384")
    token = world.sts.get_web_identity_token(**ask)["WebIdentityToken"]
    world.iam.disable_outbound_web_identity_federation()
    with refused("OutboundWebIdentityFederationDisabledException", 403):
        world.sts.get_web_identity_token(**ask)
    assert verified(issuer, token)["sub"] == world.admin.arn


def test_only_what_is_published_can_be_read(issuer):
    base = issuer.rsplit("/", 1)[0]
    for url in (f"{issuer}/", f"{issuer}/.well-known/", f"{base}/other/.well-known/jwks.json", f"{issuer}/keys"):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(url, timeout=10)
        assert error.value.code < 500
    keys = read(f"{issuer}/.well-known/jwks.json")["keys"]
    assert [key["kty"] for key in keys] == ["EC", "RSA"]
    # tm_l05: the public halves and nothing else.
    assert not {"d", "p", "q", "k"} & {name for key in keys for name in key}


@pytest.mark.untraced
def test_issuer_and_keys_survive_a_kill(binary):
    with process.Server(binary, account=ACCOUNT) as server:
        world = World(server, server.key(), ACCOUNT)
        issuer = world.iam.enable_outbound_web_identity_federation()["IssuerIdentifier"]
        ask = dict(Audience=[AUDIENCE], SigningAlgorithm="RS256")
        token = world.sts.get_web_identity_token(**ask)["WebIdentityToken"]
        kid = jwt.get_unverified_header(token)["kid"]
        server.kill()
        server.start()
        world = World(server, server.key(), ACCOUNT)
        after = world.iam.get_outbound_web_identity_federation_info()["IssuerIdentifier"]
        assert after.rsplit("/", 1)[1] == issuer.rsplit("/", 1)[1]
        again = world.sts.get_web_identity_token(**ask)["WebIdentityToken"]
        assert jwt.get_unverified_header(again)["kid"] == kid
        verified(after, again)


def test_root_sessions_need_an_organization(world):
    task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
    ask = dict(TargetPrincipal=ACCOUNT, TaskPolicyArn=task)
    with refused("AccessDenied", 403, re.compile("it manages no organization$")):
        world.sts.assume_root(**ask)
    # Nothing in another account lets anybody in.
    with refused("AccessDenied", 403, re.compile("no resource-based policy allows the sts:AssumeRoot action")):
        world.sts.assume_root(**ask | {"TargetPrincipal": f"arn:aws:iam::{OTHER_ACCOUNT}:root"})
    for wrong in ({"TargetPrincipal": "nobody-at-all"}, {"DurationSeconds": 901},
                  {"TaskPolicyArn": {"arn": "arn:aws:iam::aws:policy/IAMFullAccess"}}):
        with refused("ValidationError", 400):
            world.sts.assume_root(**ask | wrong)
    limited = world.user(allow("sts:AssumeRoot"), deny("sts:AssumeRoot", **{
        "ArnEquals": {"sts:TaskPolicyArn": task["arn"]}}))
    with refused("AccessDenied", 403, re.compile("with an explicit deny")):
        limited.sts.assume_root(**ask)
