#!/usr/bin/env python3
"""The acceptance script: runs rows of the mission table against a real server with the real AWS CLI.

Prints each command and PASS or FAIL for each row and version of the CLI; ends with code 1 if any
fails.

    python3 tests/acceptance/mission.py --bailiwick target/release/bailiwick
    python3 tests/acceptance/mission.py --row M16 --client v1
"""

import argparse
import concurrent.futures
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "clients")]

import account_rows  # noqa: E402,F401
import attack_rows  # noqa: E402,F401
import checklist_rows  # noqa: E402,F401
import credentials_rows  # noqa: E402,F401
import decision_rows  # noqa: E402,F401
import entity_rows  # noqa: E402,F401
import generate_rows  # noqa: E402,F401
import hygiene_rows  # noqa: E402,F401
import import_rows  # noqa: E402,F401
import last_accessed_rows  # noqa: E402,F401
import mfa_rows  # noqa: E402,F401
import operator_rows  # noqa: E402,F401
import passkey_rows  # noqa: E402,F401
import session_rows  # noqa: E402,F401
import signin_rows  # noqa: E402,F401
import simulation_rows  # noqa: E402,F401
from rows import ROOT, ROWS, Cli, Row  # noqa: E402


def binary():
    """The newest build."""
    built = [ROOT / "target" / kind / "bailiwick" for kind in ("release", "debug")]
    return next((path for path in built if path.exists()), built[0])


def main():
    """Runs the rows; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bailiwick", default=binary(), type=pathlib.Path, help="the binary")
    parser.add_argument("--row", action="append", help="only this row, such as M16 (repeat)")
    parser.add_argument("--client", choices=["v1", "v2"], help="only this version of the AWS CLI")
    parser.add_argument("--jobs", type=int, default=2, help="rows at one time")
    parser.add_argument("--cold", action="store_true", help="start the AWS CLI anew for each command")
    parser.add_argument("--list", action="store_true", help="list the rows")
    options = parser.parse_args()
    names = sorted(ROWS, key=lambda name: int(name[1:]))
    if options.list:
        for name in names:
            print(f"{name:5} {(ROWS[name].__doc__ or '').splitlines()[0]}")
        return 0
    unknown = set(options.row or []) - set(names)
    if unknown:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    clients = [cli for cli in Cli.all() if options.client in (None, cli.name)]
    if not clients:
        parser.error("there is no AWS CLI")
    for cli in clients:
        cli.cold = options.cold
    chosen = [name for name in names if not options.row or name in options.row]
    rows = [Row(name, cli, options.bailiwick.resolve()) for name in chosen for cli in clients]
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for row, good in zip(rows, pool.map(Row.run, rows)):
            passed += good
            print(f"\n== {row.name} with AWS CLI {'.'.join(map(str, row.cli.version))}: {(ROWS[row.name].__doc__ or '').splitlines()[0]}")
            print("\n".join(row.lines), flush=True)
            shutil.rmtree(row.home, ignore_errors=True)
    for cli in clients:
        cli.close()
    failed = [f"{row.name} ({row.cli.name})" for row in rows if not row.passed]
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    print(f"\n{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
