#!/usr/bin/env python3
"""10,000 users and 10,000 roles here and in moto_server, and what the large readings of them take.

Both servers run at the same time on the same machine and take turns, so that a machine whose speed
drifts treats both alike. Both get the same signed requests over one kept connection; moto checks no
signature and decides nothing. Prints a table in Markdown.

    python3 tests/tools/scale.py --bailiwick target/release/bailiwick
"""

import argparse
import csv
import io
import json
import pathlib
import re
import socket
import statistics
import subprocess
import tempfile
import time

from environments import Checks, binary, environment, rerun, version

PACKAGES = ("moto[server]", "boto3")
rerun("moto", *PACKAGES)

import base64  # noqa: E402

import process  # noqa: E402
import signing  # noqa: E402

TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]})


class Moto:
    """A moto_server on a free port."""

    def __init__(self, programs):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [programs / "moto_server", "-H", "127.0.0.1", "-p", str(self.port)],
            env=process.clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        process.wait_for(self._answers, "moto_server")

    def _answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        self.process.kill()
        self.process.wait()


class Side:
    """One of the servers: a connection, and the seconds that each piece took."""

    def __init__(self, name, url, key, pid):
        self.name, self.pid = name, pid
        self.wire = signing.Wire(url, key)
        self.times = {}

    def call(self, action, **parameters):
        """One call of IAM that must succeed."""
        answer = self.wire.call("iam", action, **parameters)
        assert answer.status == 200, f"{self.name} {action}: {answer.status} {answer.body[:500]!r}"
        return answer.body.decode()

    def timed(self, piece, work, *arguments, **parameters):
        """Does some work and notes how long it took."""
        began = time.perf_counter()
        found = work(*arguments, **parameters)
        self.times.setdefault(piece, []).append(time.perf_counter() - began)
        return found

    def pages(self, action, **parameters):
        """The texts of all pages of a list."""
        found, marker = [], {}
        while True:
            text = self.call(action, **parameters, **marker)
            found.append(text)
            more = re.search(r"<Marker>([^<]+)</Marker>", text)
            if not more or "<IsTruncated>true" not in text:
                return found
            marker = {"Marker": more.group(1)}

    def users(self, number):
        self.timed("CreateUser", self.call, "CreateUser", UserName=f"user-{number:05}")

    def role(self, number):
        more = {"RoleName": f"role-{number:05}", "AssumeRolePolicyDocument": TRUST}
        self.timed("CreateRole", self.call, "CreateRole", **more)

    def first_page(self):
        text = self.timed("ListUsers, a page of 1,000", self.call, "ListUsers", MaxItems=1000)
        return len(re.findall("<UserName>", text))

    def all_users(self):
        pages = self.timed("ListUsers, all in pages of 1,000", self.pages_of_users)
        return {name for text in pages for name in re.findall("<UserName>([^<]+)<", text)}

    def pages_of_users(self):
        return self.pages("ListUsers", MaxItems=1000)

    def details(self):
        pages = self.timed("GetAccountAuthorizationDetails, whole", lambda: self.pages(
            "GetAccountAuthorizationDetails", MaxItems=1000))
        text = "".join(pages)
        return (
            set(re.findall("<UserName>([^<]+)<", text)), set(re.findall("<RoleName>([^<]+)<", text)),
            len(text.encode()), len(pages))

    def report(self):
        def work():
            while "COMPLETE" not in self.call("GenerateCredentialReport"):
                time.sleep(0.005)
            return self.call("GetCredentialReport")

        # A report is kept for a while, so that only the first is made.
        first = "credential report, made and read (once)"
        text = self.timed("credential report, read again" if first in self.times else first, work)
        content = base64.b64decode(re.search(r"<Content>([^<]+)<", text).group(1))
        return {row["user"] for row in csv.DictReader(io.StringIO(content.decode()))}

    def memory(self):
        """Resident memory in MiB."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def shown(seconds):
    """A time for people."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def main():
    """Fills both servers and reads them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    binary(parser)
    parser.add_argument("--count", type=int, default=10_000, help="users, and roles, to make")
    parser.add_argument("--rounds", type=int, default=5, help="how often the large readings are taken")
    options = parser.parse_args()
    programs = environment("moto", *PACKAGES)
    settings = pathlib.Path(tempfile.mkdtemp(prefix="scale-test-")) / "settings.toml"
    settings.write_text(f"[quotas]\nusers = {options.count + 10}\nroles = {options.count + 10}\n")
    checks = Checks()
    moto = Moto(programs)
    try:
        with process.Server(options.bailiwick, ["--config", str(settings)]) as server:
            key = server.key()
            sides = [
                Side("bailiwick", server.url, key, server.process.pid),
                Side("moto_server", moto.url, key, moto.process.pid)]
            # Turns of a hundred: neither waits long, and neither's caches serve the other.
            for start in range(0, options.count, 100):
                for side in sides:
                    for number in range(start, min(start + 100, options.count)):
                        side.users(number)
                        side.role(number)
            empty = [side.memory() for side in sides]
            users = {f"user-{number:05}" for number in range(options.count)}
            roles = {f"role-{number:05}" for number in range(options.count)}
            counts = {}
            for round_ in range(options.rounds):
                for side in sides:
                    for _ in range(4):
                        counts[side.name] = side.first_page()
                    listed = side.all_users()
                    known, held, size, pages = side.details()
                    reported = side.report()
                    if round_ == 0:
                        checks.check(f"{side.name} lists all users", users <= listed)
                        checks.check(f"{side.name} gives details of all users and roles", users <= known and roles <= held)
                        checks.check(f"{side.name} reports all users", users <= reported, len(reported))
                        print(f"{side.name}: details of {size:,} bytes in {pages} pages", flush=True)
            ours, theirs = (side.times for side in sides)
            print(f"\nmoto {version(programs, 'moto')}; {options.count:,} users and as many roles; medians.")
            for side in sides:
                print(f"A page of ListUsers of 1,000 gives {counts[side.name]:,} users on {side.name}.")
            print("\n| piece | bailiwick | moto_server | moto takes |\n|---|---|---|---|")
            for piece in ours:
                one, two = statistics.median(ours[piece]), statistics.median(theirs[piece])
                print(f"| {piece} | {shown(one)} | {shown(two)} | {two / one:.1f} x |")
            print(f"| resident memory after creation | {empty[0]:.0f} MiB | {empty[1]:.0f} MiB | {empty[1] / empty[0]:.1f} x |\n")
    finally:
        moto.close()
    checks.end()


main()
