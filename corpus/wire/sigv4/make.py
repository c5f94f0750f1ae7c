#!/usr/bin/env python3
"""Writes botocore.json: requests signed by botocore, with fixed credentials and times.

Each vector is a request as it goes over the wire and what a verifier must say of it:
`verified`, or `malformed` when the signature is good and the path is one that is refused all the same.
Run it again after a change: `python3 corpus/wire/sigv4/make.py` (needs botocore; made with 1.43.11).
`make.py --random COUNT FILE` writes that many random requests instead, the same ones each time; the ignored
test `tm_a03_random_requests_of_an_independent_signer` reads them from the file BAILIWICK_SIGV4_VECTORS names.
The credentials are AWS's documented examples and open nothing.
"""

import base64
import datetime
import json
import pathlib
import random
import sys
import urllib.parse
from unittest import mock

import botocore
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEYS = {
    "user": ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None),
    "session": (
        "ASIAIOSFODNN7EXAMPLE",
        "eW91ciBzZWNyZXQga2V5IGdvZXMgaGVyZSBub3c+",
        "IQoJb3JpZ2luX2VjEJv//////////wEaCXVzLWVhc3QtMSJHMEUCIQ+token/with=chars==",
    ),
}
TIMES = ["20150830T123600Z", "20240229T000000Z", "20261231T235959Z"]
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON11 = "application/x-amz-json-1.1"
vectors = []


def add(name, *, method="POST", url, headers=(), body=b"", key="user", region="us-east-1", service="iam",
        time=TIMES[0], expires=None, s3=False, params=None, expect="verified"):
    """Signs one request and keeps it as it would be sent."""
    key_id, secret, token = KEYS[key]
    credentials = Credentials(key_id, secret, token)
    request = AWSRequest(method=method, url=url, data=body, params=params or {})
    for header, value in headers:
        request.headers.add_header(header, value)
    now = datetime.datetime.strptime(time, "%Y%m%dT%H%M%SZ")
    if expires is None:
        signer = (S3SigV4Auth if s3 else SigV4Auth)(credentials, service, region)
    else:
        kind = S3SigV4QueryAuth if s3 else SigV4QueryAuth
        signer = kind(credentials, service, region, expires=expires)
    with mock.patch("botocore.auth.get_current_datetime", lambda *_, **__: now):
        signer.add_auth(request)
    sent = request.prepare()
    parts = urllib.parse.urlsplit(sent.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pairs = [["Host", parts.netloc]]
    # From the signed request, whose headers keep repetitions; preparing it only adds a length.
    for header, value in [*request.headers.items(), *((k, v) for k, v in sent.headers.items() if k == "Content-Length")]:
        if header.lower() != "host":
            pairs.append([header, value.decode() if isinstance(value, bytes) else value])
    content = sent.body or b""
    content = content.encode() if isinstance(content, str) else content
    vectors.append({
        "name": name, "key": key, "region": region, "service": service, "time": time,
        "form": "header" if expires is None else "query", "expires": expires, "s3": s3,
        "method": method, "target": target, "headers": pairs,
        "body": base64.b64encode(content).decode(), "expect": expect,
    })


def rotate(items, n):
    return items[n % len(items)]


# Query protocol, as iam and sts speak it.
ACTIONS = ["ListUsers", "GetUser", "CreateUser", "AssumeRole", "GetCallerIdentity", "PutUserPolicy"]
VALUES = ["alice", "a b+c", "/path/%2F/", "naïve", "名前", "a=b&c", "{\"Version\":\"2012-10-17\"}", "~-._*!'()", ""]
for n, value in enumerate(VALUES):
    for m, service in enumerate(["iam", "sts"]):
        fields = {"Action": rotate(ACTIONS, n + m), "Version": "2010-05-08", "UserName": value}
        add(f"query-post-{service}-{n}", url=f"https://{service}.amazonaws.com/", headers=[("Content-Type", FORM)],
            body=urllib.parse.urlencode(fields).encode(), service=service, time=rotate(TIMES, n),
            key=rotate(["user", "session"], n + m), region=rotate(["us-east-1", "eu-west-1"], n))
        add(f"query-get-{service}-{n}", method="GET", url=f"http://127.0.0.1:4680/", params=fields, service=service,
            time=rotate(TIMES, n + 1), key=rotate(["user", "session"], n + m + 1))

# JSON protocol, with the header that names the operation.
for n, service in enumerate(["organizations", "cloudtrail", "sso", "identitystore", "logs", "config"]):
    for m, body in enumerate([b"{}", b'{"Name":"x"}', '{"Name":"é名"}'.encode(), b'{"a":"' + b"x" * 3000 + b'"}']):
        add(f"json-{service}-{m}", url=f"http://localhost:4680/", body=body, service=service,
            headers=[("Content-Type", JSON11), ("X-Amz-Target", f"Service_20170101.Op{m}"),
                     ("amz-sdk-invocation-id", "6f1c2f6e-0d3c-4f0e-9a53-5d8a7d3e3a11"),
                     ("amz-sdk-request", "attempt=1"), ("User-Agent", "Boto3/1.43 md/x")],
            time=rotate(TIMES, n + m), key=rotate(["user", "session"], n + m),
            region=rotate(["us-east-1", "eu-central-1", "ap-southeast-2"], n))

# REST paths and methods.
PATHS = [
    "/", "", "/analyzer", "/analyzer/my-analyzer", "/analyzer/arn%3Aaws%3Aaccess-analyzer%3Aeu-west-1%3A1%3Aanalyzer%2Fx",
    "/tags/arn:aws:rolesanywhere:us-east-1:1:profile/a", "/a%20b", "/a+b", "/a;b=c", "/a%2fb%2Fc", "/a/", "/~x/-_.",
    "/%E5%90%8D%E5%89%8D", "/...", "/.hidden", "/a..b", "/%25", "/a@b!c$d&e'f(g)h*i,j", "/%7Ex", "/a%C3%A9",
]
for n, path in enumerate(PATHS):
    for m, method in enumerate(["GET", "PUT", "DELETE", "PATCH"]):
        body = b'{"x":1}' if method in ("PUT", "PATCH") else b""
        headers = [("Content-Type", "application/json")] if body else []
        if n % 4 == m or n < 3:
            add(f"rest-path-{n}-{method}", method=method, url=f"https://access-analyzer.eu-west-1.amazonaws.com{path}",
                body=body, headers=headers, service="access-analyzer", region="eu-west-1", time=rotate(TIMES, n),
                key=rotate(["user", "session"], n))
for n, path in enumerate(["/a/../b", "/a/./b", "//", "/a//b", "/a/b/..", "/..", "/a/%2e%2e/b", "/a%", "/a%zz", "/%c0%af", "/a%00b"]):
    add(f"rest-refused-{n}", method="GET", url=f"https://access-analyzer.eu-west-1.amazonaws.com{path}",
        service="access-analyzer", region="eu-west-1", expect="malformed")

# Query strings, already encoded as the serializer of REST protocols leaves them.
QUERIES = [
    "a=1", "b=2&a=1", "a=2&a=1", "a=&b=", "tagKeys=k1&tagKeys=k2&tagKeys=", "a=%20x%2B", "a=%C3%A9&%C3%A9=a",
    "a=b%3Dc%26d", "Aa=1&aA=2&AA=3&aa=4", "a-b=1&a.b=2&a_b=3&a~b=4&ab=5", "x=%2F%3A%40", "a1=1&a10=1&a2=1",
    "max-results=100&next-token=AAA%2Fbbb%3D%3D", "a=%21%27%28%29%2A", "q=%F0%9F%98%80",
]
for n, query in enumerate(QUERIES):
    add(f"rest-query-{n}", method=rotate(["GET", "DELETE"], n), url=f"https://host.example:8443/analyzer?{query}",
        service="access-analyzer", region="eu-west-1", time=rotate(TIMES, n), key=rotate(["user", "session"], n))

# Header values.
HEADERS = [
    [("X-Amz-Meta", "a   b    c")], [("X-Amz-Meta", "  padded  ")], [("My-Header", '"a   b"')], [("My-Header", "")],
    [("My-Header", "one"), ("My-Header", "two")], [("X-Amz-B", "2"), ("X-Amz-A", "1"), ("Zz", "3"), ("Aa", "4")],
    [("My-Header", "tab\there")], [("My-Header", "é名")], [("Date", "Sun, 30 Aug 2015 12:36:00 GMT")],
    [("User-Agent", "not covered")], [("X-Amzn-Trace-Id", "Root=1-2-3")], [("Expect", "100-continue")],
    [("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
    [("X-Amz-User-Agent", "aws-sdk-js/3.0")], [("Accept", "*/*"), ("Accept-Encoding", "identity")],
]
for n, headers in enumerate(HEADERS):
    for key in ["user", "session"]:
        add(f"headers-{n}-{key}", method="GET", url="https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            headers=headers, key=key)

# Presigned.
for n, expires in enumerate([1, 60, 900, 3600, 604800]):
    for key in ["user", "session"]:
        for service in ["sts", "iam"]:
            add(f"presigned-{service}-{expires}-{key}", method="GET", service=service, key=key, expires=expires,
                url=f"https://{service}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15",
                headers=[("x-k8s-aws-id", "my cluster")] if n % 2 else [], time=rotate(TIMES, n))
for n, query in enumerate(QUERIES[:2] + QUERIES[5:]):
    add(f"presigned-query-{n}", method="GET", url=f"http://localhost:4680/?{query}", service="sts", expires=60)

# The object surface: literal paths, declared hashes, unsigned payloads when presigned.
for n, path in enumerate(["/bucket/key", "/bucket//a/../b", "/bucket/a%20b%2Bc", "/bucket/%E5%90%8D", "/", "/b/./k~"]):
    add(f"s3-get-{n}", method="GET", url=f"http://localhost:4680{path}", service="s3", s3=True)
    add(f"s3-put-{n}", method="PUT", url=f"http://localhost:4680{path}", service="s3", s3=True, body=b"content",
        headers=[("Content-Type", "text/plain")], key="session")
    add(f"s3-presigned-{n}", method="GET", url=f"http://localhost:4680{path}", service="s3", s3=True, expires=60)

def add_random(count):
    """Requests with random methods, paths, query strings, headers and bodies, encoded as clients encode them."""
    dice = random.Random(4680)
    letters = "abcXYZ019-._~ /:+;,=&%@!$'()*?#[]{}|\\\"<>^`éß名😀"

    def text(longest, shortest=0):
        return "".join(dice.choice(letters) for _ in range(dice.randint(shortest, longest)))

    for n in range(count):
        segments = [text(8, 1) for _ in range(dice.randint(0, 4))]
        # A dot segment is refused however it is encoded.
        path = "/" + "/".join(urllib.parse.quote(s, safe=dice.choice(["", "~:@", "~:@!$&'()*+,;="]))
                              for s in segments if s not in (".", ".."))
        pairs = [(text(5, 1), text(10)) for _ in range(dice.randint(0, 5))]
        query = "&".join(f"{urllib.parse.quote(k, safe='-_.~')}={urllib.parse.quote(v, safe='-_.~')}" for k, v in pairs)
        names = dice.sample(["X-Amz-Target", "X-Amz-Meta-A", "My-Header", "Accept", "amz-sdk-request", "User-Agent"],
                            dice.randint(0, 4))
        headers = [(name, text(12).replace("#", "  ").strip()) for name in names]
        presigned = dice.random() < 0.3
        method = "GET" if presigned else dice.choice(["GET", "POST", "PUT", "DELETE", "PATCH"])
        body = text(40).encode() if method in ("POST", "PUT", "PATCH") else b""
        if presigned:  # botocore keeps one value of a name here
            query = "&".join({piece.split("=")[0]: piece for piece in query.split("&")}.values())
        add(f"random-{n}", method=method, url=f"http://localhost:4680{path}" + (f"?{query}" if query else ""),
            headers=headers, body=body, key=dice.choice(["user", "session"]), time=dice.choice(TIMES),
            service=dice.choice(["iam", "access-analyzer"]), expires=60 if presigned else None)


target = pathlib.Path(__file__).with_name("botocore.json")
if sys.argv[1:2] == ["--random"]:
    vectors.clear()
    add_random(int(sys.argv[2]))
    target = pathlib.Path(sys.argv[3])
out = {
    "made_with": f"botocore {botocore.__version__}",
    "keys": {name: {"id": k[0], "secret": k[1], "token": k[2]} for name, k in KEYS.items()},
    "vectors": vectors,
}
assert len({v["name"] for v in vectors}) == len(vectors)
head = json.dumps({k: v for k, v in out.items() if k != "vectors"}, ensure_ascii=False)[:-1]
lines = ",\n".join(json.dumps(v, ensure_ascii=False) for v in vectors)
target.write_text(f'{head}, "vectors": [\n{lines}\n]}}\n', encoding="utf-8")
print(f"{len(vectors)} vectors")
