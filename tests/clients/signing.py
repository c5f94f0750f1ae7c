"""An independent signer of AWS requests, and a client of raw bytes around it.

Written from the public description of Signature Version 4 with the standard library, so that a
request can be built, then bent, exactly as a test wants it.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import re
import ssl
import urllib.parse
import xml.etree.ElementTree

VERSIONS = {"iam": "2010-05-08", "sts": "2011-06-15"}
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/x-amz-json-1.1"


def quoted(text, safe="-_.~"):
    """Percent-encoded as RFC 3986 has it."""
    return urllib.parse.quote(text, safe=safe)


class Request:
    """A request that can be signed, changed and sent."""

    def __init__(self, method="POST", path="/", query="", headers=None, body=b""):
        self.method, self.path, self.query = method, path, query
        self.headers = dict(headers or {})
        self.body = body

    @classmethod
    def query_call(cls, service, action, parameters=None, headers=None):
        """A call in the query protocol."""
        fields = {"Action": action, "Version": VERSIONS[service]} | (parameters or {})
        body = "&".join(f"{quoted(name)}={quoted(str(value))}" for name, value in fields.items())
        return cls(headers={"content-type": FORM} | (headers or {}), body=body.encode())

    @classmethod
    def json_call(cls, target, document, headers=None):
        """A call in the JSON protocol."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return cls(headers={"content-type": JSON, "x-amz-target": target} | (headers or {}), body=body)

    def sign(self, key, service, host, region="us-east-1", at=None, only=None):
        """Signs in header form every header that is there, or those in `only`."""
        at = at or datetime.datetime.now(datetime.timezone.utc)
        stamp = at.strftime("%Y%m%dT%H%M%SZ")
        self.headers["host"] = host
        self.headers["x-amz-date"] = stamp
        if key.token:
            self.headers["x-amz-security-token"] = key.token
        names = sorted(only if only is not None else self.headers)
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        canonical = "\n".join(
            [
                self.method,
                self.path,
                self.query,
                *(f"{name}:{' '.join(self.headers[name].split())}" for name in names),
                "",
                ";".join(names),
                hashlib.sha256(self.body).hexdigest(),
            ]
        )
        text = "\n".join(
            ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
        )
        secret = f"AWS4{key.secret}".encode()
        for part in scope.split("/"):
            secret = hmac.digest(secret, part.encode(), "sha256")
        signature = hmac.digest(secret, text.encode(), "sha256").hex()
        self.headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={key.id}/{scope}, "
            f"SignedHeaders={';'.join(names)}, Signature={signature}"
        )
        return self


class Answer:
    """What came back, in XML or JSON."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    @property
    def request_id(self):
        """The id under which the call is recorded."""
        return self.headers.get("x-amzn-requestid")

    @property
    def decision_id(self):
        """The id of the decision, where one was taken."""
        return self.headers.get("x-bailiwick-decision-id")

    @property
    def code(self):
        """The error code, or None."""
        if self.status < 400:
            return None
        if self.body.lstrip().startswith(b"{"):
            found = json.loads(self.body).get("__type") or self.headers.get("x-amzn-errortype", "")
            return found.rsplit("#")[-1]
        return self.find("Code")

    @property
    def message(self):
        """The error's text."""
        if self.body.lstrip().startswith(b"{"):
            found = json.loads(self.body)
            return found.get("message") or found.get("Message")
        return self.find("Message")

    def json(self):
        """The body as JSON."""
        return json.loads(self.body)

    def find(self, name):
        """The text of the first element of a name."""
        found = self.find_all(name)
        return found[0] if found else None

    def find_all(self, name):
        """The texts of all elements of a name."""
        try:
            root = xml.etree.ElementTree.fromstring(self.body)
        except xml.etree.ElementTree.ParseError:
            return []
        return [node.text or "" for node in root.iter() if node.tag.rsplit("}")[-1] == name]


class Wire:
    """A connection to a server that sends requests as they are, for one key."""

    def __init__(self, url, key=None, region="us-east-1", ca_bundle=None):
        self.url, self.key, self.region = url, key, region
        self.ca_bundle = ca_bundle
        self.connection = None
        self.now = None
        """The instant to sign with, where it is not the present."""

    @property
    def host(self):
        """The authority in the address."""
        return self.url.split("//", 1)[1]

    def send(self, request):
        """Sends a request, over a connection that is kept."""
        target = request.path + (f"?{request.query}" if request.query else "")
        for attempt in (1, 2):
            fresh = self.connection is None
            if fresh:
                self.connection = self._connect()
            try:
                connection = self.connection
                connection.putrequest(
                    request.method, target, skip_host=True, skip_accept_encoding=True
                )
                headers = {"host": self.host} | request.headers
                for name, value in headers.items():
                    connection.putheader(name, value)
                if "content-length" not in headers and "transfer-encoding" not in headers:
                    connection.putheader("content-length", str(len(request.body)))
                connection.endheaders()
                if request.body:
                    try:
                        connection.send(request.body)
                    except (BrokenPipeError, ConnectionResetError):
                        # The answer to a body that is too long may come before its end.
                        pass
                response = connection.getresponse()
                body = response.read()
                names = {name.lower(): value for name, value in response.getheaders()}
                if response.will_close:
                    self.close()
                return Answer(response.status, names, body)
            except (http.client.HTTPException, OSError):
                self.close()
                # A kept connection may have been closed meanwhile.
                if fresh or attempt == 2:
                    raise

    def _connect(self):
        parts = urllib.parse.urlsplit(self.url)
        if parts.scheme == "https":
            trust = ssl.create_default_context(cafile=self.ca_bundle)
            return http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60, context=trust)
        return http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)

    def close(self):
        """Closes the connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def call(self, service, action, headers=None, region=None, **parameters):
        """Signs and sends a call in the query protocol."""
        request = Request.query_call(service, action, parameters, headers)
        return self.send(self.signed(request, service, region))

    def signed(self, request, service, region=None, **more):
        """Signs a request with this connection's key."""
        return request.sign(
            self.key, service, self.host, region=region or self.region, at=self.now, **more
        )

    def own(self, operation, **parameters):
        """Calls an operation of our own service."""
        request = Request.json_call(f"Bailiwick_20261101.{operation}", parameters)
        return self.send(self.signed(request, "bailiwick"))

    def events(self, **filters):
        """All events of the key's account that fit, newest first."""
        found, token = [], None
        while True:
            page = filters | {"MaxResults": 1000} | ({"NextToken": token} if token else {})
            answer = self.own("ListEvents", **page)
            assert answer.status == 200, answer.text
            found += [json.loads(text) for text in answer.json()["Events"]]
            token = answer.json().get("NextToken")
            if not token:
                return found

    def follow(self, token=None):
        """The events since a token, oldest first, and the token to go on with."""
        found = []
        while True:
            page = {"MaxResults": 1000, "Forward": True} | ({"NextToken": token} if token else {})
            answer = self.own("ListEvents", **page)
            assert answer.status == 200, answer.text
            new = [json.loads(text) for text in answer.json()["Events"]]
            token = answer.json().get("NextToken") or token
            found += new
            if len(new) < 1000:
                return found, token

    def explain(self, decision):
        """The explanation of a decision: one item an ask."""
        answer = self.own("ExplainDecision", DecisionId=decision)
        assert answer.status == 200, answer.text
        return json.loads(answer.json()["Explanation"])


DECISION = re.compile(r" \(decision (d-[0-9a-f]{32})\)$")


def split_decision(message):
    """The text of a denial, and the id of its decision."""
    found = DECISION.search(message)
    assert found, f"no decision id in {message!r}"
    return message[: found.start()], found.group(1)
