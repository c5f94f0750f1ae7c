"""A data directory that is not as it should be is refused: in clear words that name the file, with
an exit code, and without a byte changed.
"""

import hashlib
import os
import re
import stat
import subprocess

import process
import pytest
from conftest import ACCOUNT
from signing import Wire


@pytest.fixture
def stopped(binary):
    """A server that has state, and has ended well."""
    with process.Server(binary, account=ACCOUNT) as server:
        wire = Wire(server.url, server.key())
        assert wire.call("iam", "CreateUser", UserName="alice").status == 200
        assert server.stop() == 0
        yield server


def snapshot(folder):
    """Every file with its content and mode."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in ("lock", "LOCK"):
            found[str(path.relative_to(folder))] = (
                hashlib.sha256(path.read_bytes()).hexdigest(), stat.S_IMODE(path.stat().st_mode))
    return found


def serve(server, *more, directory=None):
    """Tries to start; returns the exit code and what was said."""
    command = [server.binary, "serve", "--listen", "127.0.0.1:0", "--data-dir", str(directory or server.data_dir), *more]
    done = subprocess.run(command, env=process.clean_environment(), capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def main_file(server):
    """The largest file: that of the store."""
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_size)


def refuses(server, *words, same=True, more=()):
    before = snapshot(server.data_dir)
    code, said = serve(server, *more)
    assert code != 0 and "panicked" not in said, said
    for word in words:
        assert word in said, f"{word!r} is not in {said!r}"
    if same:
        assert snapshot(server.data_dir) == before, "files were changed"
    return said


def test_it_starts_again(stopped):
    stopped.start()
    assert Wire(stopped.url, stopped.key()).call("iam", "GetUser", UserName="alice").status == 200


def test_tm_l07_what_is_private(stopped):
    assert stat.S_IMODE(stopped.data_dir.stat().st_mode) == 0o700
    for path in stopped.data_dir.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path.name} has mode {mode:o}"
    log = stopped.log.read_text()
    assert stopped.key().secret not in log


def test_locked_by_another_process(stopped):
    stopped.start()
    code, said = serve(stopped)
    assert code != 0 and "panicked" not in said
    assert str(stopped.data_dir) in said or "data" in said, said
    assert any(word in said for word in ("use", "another", "lock", "running")), said
    assert Wire(stopped.url, stopped.key()).call("iam", "GetUser", UserName="alice").status == 200


@pytest.mark.parametrize("where", ["start", "middle", "all", "cut", "empty"])
def test_a_damaged_file(stopped, where):
    path = main_file(stopped)
    data = bytearray(path.read_bytes())
    half = len(data) // 2
    if where == "start":
        data[:64] = os.urandom(64)
    elif where == "middle":
        # All but the head, so that it does not fall into free space.
        data[4096:] = os.urandom(len(data) - 4096)
    elif where == "all":
        data[:] = os.urandom(len(data))
    elif where == "cut":
        del data[half:]
    else:
        data.clear()
    path.write_bytes(bytes(data))
    refuses(stopped, path.name)


def test_a_missing_master_key(stopped):
    path = stopped.data_dir / "master.key"
    assert path.exists()
    path.rename(stopped.base / "elsewhere")
    refuses(stopped, "master.key")
    assert not path.exists(), "another key was made, under which nothing opens"
    (stopped.base / "elsewhere").rename(path)
    stopped.start()


def test_a_wrong_master_key(binary, stopped):
    path = stopped.data_dir / "master.key"
    with process.Server(binary, account=ACCOUNT) as second:
        assert second.stop() == 0
        path.write_bytes((second.data_dir / "master.key").read_bytes())
    refuses(stopped, "key")


def test_i09_a_newer_format(stopped):
    mark = stopped.data_dir / "FORMAT"
    text = mark.read_text()
    number = re.search(r"\b\d+\b", text)
    mark.write_text(f"{text[: number.start()]}{int(number.group()) + 1}{text[number.end() :]}")
    refuses(stopped, mark.name, "newer")


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o707])
def test_tm_l07_a_directory_that_others_may_enter(stopped, mode):
    stopped.data_dir.chmod(mode)
    refuses(stopped, str(stopped.data_dir), "700")
    assert stat.S_IMODE(stopped.data_dir.stat().st_mode) == mode


@pytest.mark.parametrize("name", ["credentials", "master.key", None])
def test_tm_l07_files_that_others_may_read(stopped, name):
    path = stopped.data_dir / name if name else main_file(stopped)
    path.chmod(0o644)
    refuses(stopped, path.name)
    path.chmod(0o600)
    stopped.start()


def test_an_account_id_that_is_not_there(stopped):
    said = refuses(stopped, "333333333333", same=False, more=["--account-id", "333333333333"])
    assert "account create" in said


def test_a_directory_that_cannot_be_made(stopped):
    blocked = stopped.base / "file"
    blocked.write_text("x")
    code, said = serve(stopped, directory=blocked / "data")
    assert code != 0 and str(blocked) in said and "panicked" not in said


def test_tm_f10_beyond_loopback_only_with_tls(stopped):
    done = subprocess.run(
        [stopped.binary, "serve", "--listen", "0.0.0.0:0", "--data-dir", str(stopped.data_dir)],
        env=process.clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "TLS" in done.stderr


def test_verbs_without_a_server(stopped):
    """With no server running a verb opens the directory itself, and the server sees what it did."""
    stopped.run("account", "create", "--id", "210987654321")
    stopped.start()
    wire = Wire(stopped.url, stopped.key("210987654321"))
    assert wire.call("sts", "GetCallerIdentity").find("Account") == "210987654321"


def test_verbs_on_a_directory_that_is_not_there(binary, tmp_path):
    missing = tmp_path / "none"
    for verb in (("account", "list"), ("env",), ("fixture", "load", "F1"), ("rekey",)):
        done = subprocess.run(
            [binary, *verb, "--data-dir", str(missing)], env=process.clean_environment(),
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 2, (verb, done)
        assert str(missing) in done.stderr and "panicked" not in done.stderr
        assert not missing.exists()
