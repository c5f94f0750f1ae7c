"""A browser at the sign-in of a server: it posts JSON and keeps the session's cookie."""

import http.client
import http.cookies
import json
import ssl
import urllib.parse

import process


class Page:
    """What a step answered."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __getitem__(self, name):
        return self.body[name]

    @property
    def told(self):
        """How the step ended: a status, or an error."""
        return self.body.get("status") or self.body.get("error")

    @property
    def key(self):
        """The credentials of the session."""
        found = self.body["credentials"]
        return process.Key(found["accessKeyId"], found["secretAccessKey"], found["sessionToken"])


class Browser:
    """A browser with a cookie jar of its own."""

    def __init__(self, url, ca_bundle=None):
        self.url = urllib.parse.urlsplit(url)
        self.ca_bundle, self.cookies = ca_bundle, {}
        self.set_cookie = None

    def connection(self):
        """A new connection."""
        if self.url.scheme == "https":
            context = ssl.create_default_context(cafile=self.ca_bundle)
            return http.client.HTTPSConnection(self.url.netloc, timeout=60, context=context)
        return http.client.HTTPConnection(self.url.netloc, timeout=60)

    def step(self, name, body=None, raw=None, **headers):
        """Takes a step."""
        sent = {
            "Content-Type": "application/json",
            "Origin": f"{self.url.scheme}://{self.url.netloc}",
            "User-Agent": "a browser",
        }
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection = self.connection()
        try:
            data = raw if raw is not None else json.dumps(body or {}).encode()
            connection.request("POST", f"/signin/{name}", data, sent)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        self.set_cookie = answer.getheader("Set-Cookie")
        if self.set_cookie:
            for name, found in http.cookies.SimpleCookie(self.set_cookie).items():
                if found.value:
                    self.cookies[name] = found.value
                else:
                    self.cookies.pop(name, None)
        return Page(answer.status, dict(answer.getheaders()), json.loads(text))

    def password(self, account, user, password):
        """Account, user name and password."""
        return self.step("password", {"account": account, "userName": user, "password": password})

    def code(self, ticket, code):
        """The code that a ticket waits for."""
        return self.step("factor", {"ticket": ticket, "code": code})

    def new_password(self, ticket, old, new):
        """Another password."""
        return self.step("new-password", {"ticket": ticket, "oldPassword": old, "newPassword": new})

    def session(self):
        """Credentials of the session."""
        return self.step("session")

    def sign_out(self):
        """Ends the session."""
        return self.step("sign-out")
