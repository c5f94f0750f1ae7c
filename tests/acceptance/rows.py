"""What the rows of the mission table need: servers, the real `aws` commands, and a record of checks."""

import json
import os
import pathlib
import queue
import re
import shlex
import subprocess
import tempfile
import traceback

import process
from signing import Wire
from warm import Warm

ROOT = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT, MEMBER, OUTSIDER = "123456789012", "210987654321", "333333333333"
FIXTURE_KEY = "AKIAI44QH8DHBEXAMPLE"

ROWS = {}


def row(name):
    """Marks a function as the proof of a row."""

    def add(function):
        ROWS[name] = function
        return function

    return add


class Cli:
    """One version of the AWS CLI."""

    def __init__(self, path):
        self.path = str(path)
        said = subprocess.run([self.path, "--version"], capture_output=True, text=True, timeout=60)
        found = re.match(r"aws-cli/(\d+)\.(\d+)\.(\d+)", said.stdout + said.stderr)
        if not found:
            raise OSError(f"{path} is no AWS CLI")
        self.version = tuple(int(part) for part in found.groups())
        self.name = f"v{self.version[0]}"
        self.idle = queue.SimpleQueue()
        self.cold = False
        # Before these the variable AWS_ENDPOINT_URL is not read.
        self.reads_endpoint = self.version >= ((1, 29) if self.name == "v1" else (2, 13))

    def run(self, words, env, cwd):
        """Runs a command."""
        if not self.cold:
            try:
                warm = self.idle.get_nowait()
            except queue.Empty:
                try:
                    warm = Warm(self.path)
                except OSError:
                    self.cold = True
            if not self.cold:
                done = warm.run(words, env, cwd)
                self.idle.put(warm)
                return done
        return subprocess.run(
            [self.path, *words], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=120,
        )

    def close(self):
        """Ends the processes that wait for commands."""
        while not self.idle.empty():
            self.idle.get().close()

    @classmethod
    def all(cls):
        """Both versions, as far as they are there."""
        found = []
        for variable, usual in (("AWS_CLI_V1", ROOT / "target/clients/bin/aws"), ("AWS_CLI_V2", "/usr/bin/aws")):
            path = os.environ.get(variable) or usual
            try:
                found.append(cls(path))
            except (OSError, subprocess.SubprocessError):
                print(f"not there: {variable} ({path})")
        return found


class Done:
    """The end of a command."""

    def __init__(self, done):
        self.exit, self.out, self.err = done.returncode, done.stdout, done.stderr
        found = re.search(r"An error occurred \((\w+)\)", self.err)
        self.code = found.group(1) if found else None

    def json(self):
        """The output as data."""
        return json.loads(self.out) if self.out.strip() else {}

    def __getitem__(self, path):
        value = self.json()
        for part in path.split("."):
            value = value[int(part)] if part.isdigit() else value[part]
        return value


class Failed(Exception):
    """A check that failed; the row ends."""


class Row:
    """One run of a row with one version of the CLI."""

    def __init__(self, name, cli, binary):
        self.name, self.cli, self.binary = name, cli, binary
        self.lines, self.servers, self.passed = [], [], True
        self.home = tempfile.mkdtemp(prefix="bailiwick-mission-")
        self.server, self.url, self.ca_bundle = None, None, None

    # Servers.

    def serve(self, *options, dev=False, fixture=None):
        """Starts a server; fixtures are loaded as the table says."""
        self.server = process.Server(self.binary, options=options, account=ACCOUNT, dev=dev)
        self.servers.append(self.server)
        self.server.start()
        self.url = self.server.url
        self.ca_bundle = self.server.ca_bundle if self.url.startswith("https") else None
        if fixture:
            self.say(f"$ bailiwick fixture load {fixture}")
            self.fixture_key = self.server.fixture(fixture)
        self.admin = self.server.key()
        return self.server

    def wire(self, key=None, region="us-east-1"):
        """A connection for set-up and for what the CLI cannot send."""
        return Wire(self.url, key or self.admin, region, self.ca_bundle)

    def quietly(self, action, service="iam", key=None, **parameters):
        """A step of preparation, which must succeed."""
        answer = self.wire(key).call(service, action, **parameters)
        if answer.status != 200:
            raise Failed(f"preparation: {action} {parameters}: {answer.text}")
        return answer

    def user(self, name, *policies, **more):
        """A user with inline policies; returns its key."""
        self.quietly("CreateUser", UserName=name, **more)
        for number, policy in enumerate(policies):
            self.quietly("PutUserPolicy", UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        made = self.quietly("CreateAccessKey", UserName=name)
        return process.Key(made.find("AccessKeyId"), made.find("SecretAccessKey"))

    # Commands.

    def say(self, text):
        self.lines.append(text)

    def aws(self, *words, key=None, region="us-east-1"):
        """Runs the AWS CLI, as printed; the words may be one line."""
        if len(words) == 1:
            words = shlex.split(words[0].replace("\\\n", " "))
            words = words[1:] if words[0] == "aws" else words
        self.say("$ aws " + shlex.join(words))
        environment = process.clean_environment(
            AWS_ENDPOINT_URL=self.url,
            AWS_REGION=region,
            AWS_DEFAULT_REGION=region,
            AWS_CONFIG_FILE=os.devnull,
            AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_EC2_METADATA_DISABLED="true",
            AWS_DEFAULT_OUTPUT="json",
            AWS_MAX_ATTEMPTS="1",
            AWS_PAGER="",
            HOME=self.home,
            **(key or self.admin).environment(),
        )
        if self.ca_bundle:
            environment["AWS_CA_BUNDLE"] = self.ca_bundle
        if not self.cli.reads_endpoint:
            words = (*words, "--endpoint-url", self.url)
        done = Done(self.cli.run(words, environment, self.home))
        if done.err.strip() and "--debug" not in words:
            self.say("  " + done.err.strip().splitlines()[-1][:400])
        return done

    def works(self, *words, **more):
        """Runs a command that must end well."""
        done = self.aws(*words, **more)
        self.check(done.exit == 0, f"exit code {done.exit}", quiet=True)
        return done

    def fails(self, code, *words, text=None, **more):
        """Runs a command that must fail with an error code of AWS."""
        done = self.aws(*words, **more)
        self.check(done.exit != 0 and done.code == code, f"refused with {code}", quiet=False,
                   found=done.code or f"exit code {done.exit}")
        if text:
            self.check(re.search(text, done.err) is not None, f"it says /{text}/", found=done.err.strip())
        return done

    def nobody(self, *words):
        """The same command by a user without permission is refused."""
        key = getattr(self, "nobodys_key", None)
        if key is None or self.nobodys_server is not self.server:
            key = self.nobodys_key = self.user("nobody")
            self.nobodys_server = self.server
        self.fails("AccessDenied", *words, key=key)

    def bailiwick(self, *words, key=None, check=True):
        """Runs our own command line."""
        self.say("$ bailiwick " + shlex.join(words))
        environment = {}
        if words[0] in ("events", "why"):
            environment = (key or self.admin).environment() | {"AWS_ENDPOINT_URL": self.url}
            if self.ca_bundle:
                environment["AWS_CA_BUNDLE"] = self.ca_bundle
        return self.server.run(*words, check=check, environment=environment)

    def events(self, *words, key=None):
        """The events of the account, newest first."""
        done = self.bailiwick("events", "--limit", "500", "--format", "json", *words, key=key)
        found = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        # They are printed in the order in which they happened; times are whole seconds, and ties keep that order.
        return found[::-1]

    def recorded(self, name, **fields):
        """A call of the AWS CLI is in the trail."""
        found = [event for event in self.events("--event-name", name)
                 if "aws-cli" in event["userAgent"] and "errorCode" not in event]
        found = [event for event in found
                 if all((event["requestParameters"] or {}).get(field) == value for field, value in fields.items())]
        self.check(len(found) == 1, f"one event {name} in the trail", found=len(found))
        return found[0]

    # Checks.

    def check(self, condition, text, found=None, quiet=False):
        """Notes a check; the row ends when it fails."""
        if condition:
            if not quiet:
                self.say(f"  ok: {text}")
            return
        told = f", but {found}" if found is not None else ""
        raise Failed(f"{text}{told}")

    def equal(self, found, expected, text):
        """Notes a comparison."""
        self.check(found == expected, f"{text}: {expected}", found=found)

    def state(self):
        """All that the account holds."""
        text, marker = "", {}
        while True:
            answer = self.quietly("GetAccountAuthorizationDetails", MaxItems=1000, **{
                f"Filter.member.{n}": kind for n, kind in enumerate(
                    ("User", "Group", "Role", "LocalManagedPolicy"), 1)}, **marker)
            body = re.sub(r"<RequestId>.*?</RequestId>|<RoleLastUsed>.*?</RoleLastUsed>", "", answer.text)
            token = answer.find("Marker")
            text += body
            if not token:
                return text
            marker = {"Marker": token}

    def survives_a_restart(self):
        """The state is the same after the process was killed."""
        before = self.state()
        self.server.kill()
        self.server.start()
        self.url = self.server.url
        self.check(self.state() == before, "the state survives a restart")

    def run(self):
        """Runs the row; tells whether it passed."""
        try:
            ROWS[self.name](self)
            if self.server and not self.server.dev and not self.ca_bundle:
                self.survives_a_restart()
        except Failed as error:
            self.passed = False
            self.say(f"  FAILED: {error}")
        except Exception:
            self.passed = False
            self.say("  FAILED: " + traceback.format_exc())
        finally:
            for server in self.servers:
                if not self.passed:
                    self.say(server.log.read_text(errors="replace")[-1500:])
                server.close()
        self.say(f"{'PASS' if self.passed else 'FAIL'} {self.name} ({self.cli.name})")
        return self.passed
