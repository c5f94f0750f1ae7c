"""Server processes: started on a free port, asked whether they are ready, and ended.

Standard library only, so that the acceptance script needs nothing but Python.
"""

import configparser
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

DEADLINE = 60.0
"""Seconds that a server may take to become ready or to end."""


def clean_environment(**more):
    """The environment without anything that would steer a client or the server."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "BAILIWICK"))
    }
    kept.update(more)
    return kept


def wait_for(condition, what, deadline=DEADLINE):
    """Polls a condition and returns its first true value."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.005)
    raise AssertionError(f"waited {deadline:g} s in vain for {what}")


class Key:
    """An access key, with its session token where it has one."""

    def __init__(self, access_key_id, secret, token=None):
        self.id, self.secret, self.token = access_key_id, secret, token

    @classmethod
    def of(cls, credentials):
        """The key in an answer of CreateAccessKey, AssumeRole or GetSessionToken."""
        return cls(
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials.get("SessionToken"),
        )

    def environment(self):
        """What AWS clients read from the environment."""
        found = {"AWS_ACCESS_KEY_ID": self.id, "AWS_SECRET_ACCESS_KEY": self.secret}
        return found | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})


class Server:
    """One `bailiwick serve`, on a data directory of its own or in memory."""

    def __init__(self, binary, options=(), account="123456789012", dev=False, data_dir=None):
        self.binary, self.options, self.dev = str(binary), list(options), dev
        self.account = account
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="bailiwick-test-"))
        self.data_dir = pathlib.Path(data_dir) if data_dir else self.base / "data"
        self.log = self.base / "stderr"
        self.process, self.url = None, None
        self.dev_key = Key("AKIADEVADEVADEVADEVA", "dev/secret+of=this-test-run-0123456789")

    def start(self):
        """Starts it and waits until it is ready."""
        command = [self.binary, "serve", "--listen", "127.0.0.1:0", *self.options]
        environment = clean_environment()
        if self.dev:
            command.append("--dev")
            environment["BAILIWICK_DEV_ACCESS_KEY_ID"] = self.dev_key.id
            environment["BAILIWICK_DEV_SECRET_ACCESS_KEY"] = self.dev_key.secret
        else:
            command += ["--data-dir", str(self.data_dir)]
            if not (self.data_dir / "credentials").exists():
                command += ["--account-id", self.account]
        # What the server before left behind names another port.
        (self.data_dir / "endpoint").unlink(missing_ok=True)
        out = open(self.base / "stdout", "wb")
        with out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=log
            )
        self.url = wait_for(self._address, "the address of the server")
        wait_for(self.is_ready, "the server to be ready")
        return self

    def _address(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended: {self.log.read_text(errors='replace')[-3000:]}")
        if self.dev:
            found = re.search(r"AWS_ENDPOINT_URL='([^']+)'", (self.base / "stdout").read_text())
            return found and found.group(1)
        try:
            lines = (self.data_dir / "endpoint").read_text().split("\n")
        except FileNotFoundError:
            return None
        return lines[0] if len(lines) > 1 else None

    @property
    def port(self):
        """The port it listens on."""
        return int(self.url.rsplit(":", 1)[1])

    @property
    def ca_bundle(self):
        """The certificate authority that a server with its own certificate made."""
        lines = (self.data_dir / "endpoint").read_text().split("\n")
        return lines[1] if len(lines) > 1 and lines[1] else None

    def is_ready(self):
        """What /readyz says; a server with TLS is taken to be ready when it is announced."""
        if self.url.startswith("https"):
            return True
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def is_alive(self):
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Ends the process without a chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE)

    def stop(self):
        """Ends the process well; returns its exit code."""
        if self.is_alive():
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE) if self.process else 0

    def close(self):
        """Ends the process and takes its files away."""
        if self.is_alive():
            self.kill()
        shutil.rmtree(self.base, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # The operator's verbs.

    def run(self, *verb, stdin=None, check=True, environment=None):
        """Runs a verb of the command line on this server's data directory."""
        done = subprocess.run(
            [self.binary, *verb],
            env=clean_environment(**{"BAILIWICK_DATA_DIR": str(self.data_dir)} | (environment or {})),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"bailiwick {' '.join(verb)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def key(self, profile="default"):
        """A key from the credentials file."""
        if self.dev:
            return self.dev_key
        found = configparser.RawConfigParser()
        found.read(self.data_dir / "credentials")
        section = found[profile]
        return Key(section["aws_access_key_id"], section["aws_secret_access_key"])

    def profiles(self):
        """The names and key ids in the credentials file."""
        found = configparser.RawConfigParser()
        found.read(self.data_dir / "credentials")
        return {name: found[name]["aws_access_key_id"] for name in found.sections()}

    def create_account(self, account):
        """Makes a further account and returns the key of its administrator."""
        self.run("account", "create", "--id", account, "--format", "json")
        return self.key(account)

    def root_key(self, account=None):
        """Makes a key of an account's root."""
        account = account or self.account
        self.run("root", "create-key", "--account", account)
        return self.key(f"root-{account}")

    def fixture(self, name):
        """Loads a fixture and returns its key, if it has one."""
        self.run("fixture", "load", name, "--account", self.account)
        for profile, key in self.profiles().items():
            if key == "AKIAI44QH8DHBEXAMPLE":
                return self.key(profile)
        return None

    def why(self, decision, key=None, check=True):
        """The explanation of a decision, as data."""
        environment = {}
        if key is not None:
            environment = key.environment() | {"AWS_ENDPOINT_URL": self.url}
        done = self.run(
            "why", decision, "--format", "json", check=check, environment=environment
        )
        return json.loads(done.stdout) if done.returncode == 0 else done

    # The switches of a development server.

    def set_clock(self, **change):
        """Sets the clock of a development server: `now`, `advance_seconds` or `reset`."""
        return self._switch("clock", change)["now"]

    def reset(self):
        """Puts a development server back to its first start."""
        return self._switch("reset", {})

    def _switch(self, route, body):
        request = urllib.request.Request(
            f"{self.url}/_bailiwick/{route}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json", "X-Bailiwick-Dev": "true"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{route}: {error.code} {error.read()!r}") from error
