#!/usr/bin/env python3
"""Whether the time that a sign-in takes tells which names exist (threat F01).

Prints the median of failed sign-ins for a user with a password, one without, a name that nobody has,
and an account that is not there, and the largest difference. It only measures: judge by it on a
machine that does nothing else.

    python3 tests/acceptance/signin_time.py --bailiwick target/release/bailiwick --samples 2000
"""

import argparse
import pathlib
import random
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

import process  # noqa: E402
from signin import Browser  # noqa: E402
from signing import Wire  # noqa: E402

ACCOUNT = "123456789012"


def main():
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bailiwick", required=True, type=pathlib.Path)
    parser.add_argument("--samples", type=int, default=2000, help="of each kind")
    options = parser.parse_args()
    with process.Server(options.bailiwick.resolve(), dev=True) as server:
        wire = Wire(server.url, server.key())
        names = {"a password": "alice", "no password": "bob", "nobody": "carol"}
        for name in ("alice", "bob"):
            assert wire.call("iam", "CreateUser", UserName=name).status == 200
        made = wire.call("iam", "CreateLoginProfile", UserName="alice", Password="Right-Horse-7x!")
        assert made.status == 200, made.text
        kinds = {kind: (ACCOUNT, name) for kind, name in names.items()} | {"no account": ("999999999999", "alice")}
        took = {kind: [] for kind in kinds}
        browser = Browser(server.url)
        for sample in range(options.samples):
            # Each sample is of another day: no wait, and no limit of an address.
            server.set_clock(advance_seconds=90_000)
            for kind in random.sample(list(kinds), len(kinds)):
                began = time.perf_counter()
                page = browser.password(*kinds[kind], "Wrong-Horse-9z!")
                took[kind].append(time.perf_counter() - began)
                assert page.told == "InvalidCredentials", page.body
        medians = {kind: statistics.median(found) * 1000 for kind, found in took.items()}
        for kind, found in medians.items():
            print(f"{kind:12} {found:8.3f} ms")
        low, high = min(medians.values()), max(medians.values())
        print(f"difference   {(high - low) / low * 100:8.2f} %")


if __name__ == "__main__":
    main()
