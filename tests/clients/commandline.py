"""The command line: in a folder without a server, and beside one."""

import json
import pathlib
import resource
import subprocess

import boto3
import process
from conftest import config

LIMIT = 3 << 30


class Tool:
    """Runs the binary in a folder. It gets 3 GiB of addresses: what grows with its input ends early."""

    def __init__(self, binary, folder, *verbs):
        self.binary, self.folder, self.verbs = binary, pathlib.Path(folder), verbs

    def __call__(self, *args, code=None, stdin=None, environment=None, seconds=300):
        done = subprocess.run(
            [self.binary, *self.verbs, *map(str, args)], cwd=self.folder,
            env=process.clean_environment(**(environment or {})),
            input=stdin.encode() if isinstance(stdin, str) else stdin, capture_output=True, timeout=seconds,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)),
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        if code is not None:
            assert done.returncode == code, f"{done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done

    def write(self, path, content):
        """A file: bytes, a text, or data as JSON. Its path in the folder."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
        return path

    def answer(self, *args, **more):
        """What is printed for programs."""
        return json.loads(self(*args, "--format", "json", **more).stdout)


class Bench:
    """A server with the administrator's client, and the command line on it."""

    def __init__(self, server, home):
        self.server, self.home = server, pathlib.Path(home)
        self.iam = self.client("iam", server.key())

    def client(self, service, key):
        """A client with a key."""
        return boto3.session.Session().client(
            service, region_name="us-east-1", endpoint_url=self.server.url, config=config(),
            aws_access_key_id=key.id, aws_secret_access_key=key.secret, aws_session_token=key.token,
        )

    def user(self, name, *policies, **more):
        """A user with inline policies and a key."""
        self.iam.create_user(UserName=name, **more)
        for number, policy in enumerate(policies):
            self.iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=json.dumps(policy))
        return process.Key.of(self.iam.create_access_key(UserName=name)["AccessKey"])
