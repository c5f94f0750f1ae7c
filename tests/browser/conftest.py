"""Reports for people, opened in Chromium.

BAILIWICK is the program, PLANTED the generator of accounts, CHROMIUM the browser. FULL=1 also opens
the reports of 10,000 principals.
"""

import base64
import gzip
import itertools
import json
import os
import pathlib
import subprocess

import pytest
from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]
AS_OF = "2026-11-01T00:00:00Z"
# Each would run, ask for something or break out if it were ever read as markup or script.
HOSTILE = [
    "</script><img src=x onerror=pwned=1>",
    "--><svg onload=pwned=1>",
    "<!--<script>pwned=1</script>",
    "\u2028pwned=1\u2029",
    "javascript:pwned=1",
    "\"><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "${pwned=1}`'\\",
    "<a href=https://example.com/>x</a>",
]
SETTINGS = """
[[exceptions]]
check = "USR-01"
subject = "*:user/*1*"
reason = "moved to groups with the migration"
until = "2026-12-31"

[[exceptions]]
check = "POL-12"
subject = "*:role/*2*"
reason = "agreed for the summer"
until = "2026-10-01"
"""


def run(*arguments, codes=(0, 1)):
    """What the program prints."""
    program = os.environ["BAILIWICK"]
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode in codes, done.stderr.decode()
    return done.stdout.decode()


def plant(folder, principals):
    """An account of so many principals: its export and its service control policies."""
    folder.mkdir()
    subprocess.run([os.environ["PLANTED"], "11", str(principals), str(folder)], check=True)
    scps = sorted(folder.glob("scp-*.json"))
    return folder / "export.json", [f"{scp.name.split('-')[1]}={scp}" for scp in scps]


class Made:
    """A report as a page, and as JSON to compare with."""

    def __init__(self, page, facts):
        self.path, self.facts = page, facts
        self.size = page.stat().st_size


def made(folder, name, *arguments, codes=(0, 1)):
    page = folder / f"{name}.html"
    page.write_text(run(*arguments, "--format", "html", codes=codes))
    return Made(page, json.loads(run(*arguments, "--format", "json", codes=codes)))


class Reports:
    """The reports of one size of account, made when they are asked for."""

    def __init__(self, folder, principals):
        self.folder = folder
        self.export, self.scps = plant(folder / "planted", principals)

    def audit(self):
        settings, baseline = self.folder / "audit.toml", self.folder / "baseline.json"
        settings.write_text(SETTINGS)
        facts = json.loads(run("audit", self.export, "--as-of", AS_OF, "--format", "json"))
        held = [finding for place, finding in enumerate(facts["findings"]) if place % 17]
        gone = {**held[0], "id": "0" * 24, "subject": "arn:aws:iam::111122223333:user/gone", "check": "POL-03"}
        baseline.write_text(json.dumps({"findings": [*held, gone]}))
        return made(self.folder, "audit", "audit", self.export, "--as-of", AS_OF, "--settings", settings, "--baseline", baseline)

    def escalate(self):
        return made(self.folder, "escalate", "escalate", self.export, "--scp", *self.scps)


@pytest.fixture(scope="session")
def thousand(tmp_path_factory):
    return Reports(tmp_path_factory.mktemp("thousand"), 1_000)


@pytest.fixture(scope="session")
def audit(thousand):
    return thousand.audit()


@pytest.fixture(scope="session")
def escalate(thousand):
    return thousand.escalate()


@pytest.fixture(scope="session")
def hostile(tmp_path_factory):
    """Reports of a folder in which every text that may be free is hostile, and the same with all texts.

    The reader refuses such names of users, roles and tags, so those come only with all texts.
    """
    top = tmp_path_factory.mktemp("hostile")
    export, _ = plant(top / "planted", 100)
    account = json.loads(export.read_text())
    texts = itertools.cycle(HOSTILE)
    for kind, inline in [("UserDetailList", "UserPolicyList"), ("RoleDetailList", "RolePolicyList"), ("GroupDetailList", "GroupPolicyList")]:
        for entity in account[kind]:
            for policy in entity.get(inline, []):
                statements = policy["PolicyDocument"]["Statement"]
                for statement in statements if isinstance(statements, list) else [statements]:
                    statement.setdefault("Condition", {})["StringNotEquals"] = {"aws:userid": [next(texts)]}
    folder = top / "folder"
    folder.mkdir()
    (folder / "authorization-details.json").write_text(json.dumps(account))
    (folder / "password-policy.json").write_text(json.dumps({"PasswordPolicy": HOSTILE[0]}))
    (folder / "account-summary.json.error").write_text(HOSTILE[1])
    (folder / f"{HOSTILE[5].replace('/', '-')}.json").write_text("{}")
    settings = top / "audit.toml"
    settings.write_text("".join(f"[[exceptions]]\ncheck = \"POL-12\"\nsubject = {json.dumps(text)}\nreason = {json.dumps(text)}\nuntil = \"2030-01-01\"\n" for text in HOSTILE))
    baseline = top / "baseline.json"
    baseline.write_text(json.dumps({"findings": [{"id": text, "check": "POL-03", "subject": text} for text in HOSTILE]}))
    export.write_text(json.dumps(account))
    read = [
        made(top, "audit", "audit", folder, "--settings", settings, "--baseline", baseline, codes=(2,)),
        made(top, "escalate", "escalate", export),
    ]
    return read, [poisoned(report.path) for report in read]


def poisoned(path):
    """The page with a hostile text before every text of its data, as the program would write it."""
    page = path.read_text()
    head, rest = page.split('" id="data">', 1)
    held, tail = rest.split("</script>", 1)
    if head.endswith("gzip"):
        held = gzip.decompress(base64.b64decode(held)).decode()
    data = json.loads(held)
    texts = itertools.cycle(HOSTILE)

    def worse(value, name=""):
        if isinstance(value, dict):
            return {key: worse(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [worse(inner, name) for inner in value]
        free = name in {"texts", "title", "missing", "reason", "notes", "readerNotes", "faults", "ended", "principal", "diff", "command",
                        "owner", "policy", "administrators", "places", "practices", "controls", "nist", "pci", "hipaa", "cis", "actions"}
        return f"{next(texts)} {value}" if isinstance(value, str) and free and value else value

    text = json.dumps(worse(data), ensure_ascii=False)
    for letter in "<>&'\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    if head.endswith("gzip"):
        text = base64.b64encode(gzip.compress(text.encode())).decode()
    worst = pathlib.Path(str(path).replace(".html", "-poisoned.html"))
    worst.write_text(f'{head}" id="data">{text}</script>{tail}')
    return worst


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as play:
        path = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def until(page, script):
    """Waits for what a script says. The page's policy bars the waiting that evaluates texts inside it."""
    for _ in range(160):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never: {script}")


class Watched:
    """A page that nothing may escape from: every message, error, dialog and request is kept."""

    def __init__(self, browser, report, **context):
        context = {"viewport": {"width": 1280, "height": 900}, **context}
        self.context = browser.new_context(accept_downloads=False, **context)
        self.context.set_default_timeout(8_000)
        self.page = self.context.new_page()
        self.heard = []
        self.page.on("console", lambda message: self.heard.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.heard.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: (self.heard.append("dialog"), dialog.dismiss()))
        self.page.on("popup", lambda _: self.heard.append("popup"))
        self.page.on("request", self.asked)
        path = report if isinstance(report, pathlib.Path) else report.path
        self.url = path.as_uri()

    def asked(self, request):
        if request.url.split("#")[0] != self.url and not request.url.startswith("data:,"):
            self.heard.append(f"request: {request.url}")

    def go(self, route=""):
        self.page.goto(f"{self.url}#/{route}")
        self.page.wait_for_selector("main h1")
        return self.page


@pytest.fixture
def opened(chromium):
    """Opens reports; at the end none may have said, asked or thrown anything."""
    all_of_them = []

    def opening(report, **context):
        all_of_them.append(Watched(chromium, report, **context))
        return all_of_them[-1]

    yield opening
    heard = [line for watched in all_of_them for line in watched.heard]
    for watched in all_of_them:
        watched.context.close()
    assert heard == []
