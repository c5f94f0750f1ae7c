"""The HTML report of an audit, beside the JSON report of the same account."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import until

ROUTES = ["overview", "findings", "checks", "check/POL-12", "check/EFF-02", "compliance", "compliance/NIST%20800-53%20r5", "changes", "exceptions", "evidence"]


def number(text):
    return int(re.search(r"[\d,]+", text).group().replace(",", ""))


def open_findings(audit, fits=lambda finding: True):
    return [finding for finding in audit.facts["findings"] if "excepted" not in finding and fits(finding)]


def total(page):
    return number(page.locator(".above [role=status]").inner_text())


def rows(page):
    return page.locator("main tbody tr")


def choose(page, label, value):
    page.get_by_label(label, exact=True).select_option(value)


def test_it_is_small_and_holds_all(audit):
    assert audit.size < 5_000_000
    text = audit.path.read_text()
    assert "Content-Security-Policy" in text and "default-src 'none'" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "") and "https://" not in text


def test_the_overview_counts_as_the_json_does(opened, audit):
    page = opened(audit).go()
    assert audit.facts["account"] in page.locator("h1").inner_text()
    for severity in ["critical", "high", "medium", "low", "info"]:
        expected = len(open_findings(audit, lambda finding: finding["severity"] == severity))
        assert number(page.locator(f".tile.{severity} b").inner_text()) == expected
    outcomes = [check["outcome"] for check in audit.facts["checks"]]
    assessed = outcomes.count("pass") + outcomes.count("fail")
    assert f"{outcomes.count('pass')} of {assessed} assessed checks pass" in page.locator("main").inner_text()
    missing = outcomes.count("not-assessed") + outcomes.count("not-built")
    assert missing > 0 and f"{missing} of {len(outcomes)} checks could not be assessed" in page.locator("main").inner_text()


def test_what_to_do_first_is_the_worst_first(opened, audit):
    page = opened(audit).go()
    order = ["Critical", "High", "Medium", "Low", "Info"]
    shown = [order.index(text) for text in page.locator(".todo h3 .badge").all_inner_texts()]
    assert shown == sorted(shown) and len(shown) == 10
    page.locator(".todo summary").first.click()
    assert page.locator(".todo pre").first.is_visible()


@pytest.mark.parametrize("label, value, fits", [
    ("Severity", "critical", lambda finding: finding["severity"] == "critical"),
    ("Section", "TRU", lambda finding: finding["check"].startswith("TRU-")),
    ("Check", "POL-12", lambda finding: finding["check"] == "POL-12"),
    ("About", "user", lambda finding: ":user/" in finding["subject"]),
    ("Since the baseline", "1", lambda finding: finding["new"]),
])
def test_filters_show_what_fits(opened, audit, label, value, fits):
    page = opened(audit).go("findings")
    assert total(page) == len(open_findings(audit))
    choose(page, label, value)
    assert 0 < total(page) == len(open_findings(audit, fits)) < len(open_findings(audit))
    page.get_by_role("button", name="Clear filters").click()
    until(page, "!location.hash.includes('=')")
    assert total(page) == len(open_findings(audit))


def test_filter_by_standard(opened, audit):
    page = opened(audit).go("findings")
    for standard, key, start in [("PCI DSS 4.0", "pci", ""), ("HIPAA", "hipaa", ""), ("NIST 800-53 r5", "nist", ""), ("CIS AWS Foundations v3.0", "cis", "v3.0 ")]:
        serving = {check["id"] for check in audit.facts["checks"] if any(control.startswith(start) for control in check[key])}
        choose(page, "Standard", standard)
        assert total(page) == len(open_findings(audit, lambda finding: finding["check"] in serving))


def test_states_are_told_apart(opened, audit):
    page = opened(audit).go("findings")
    choose(page, "State", "suppressed")
    excepted = len(audit.facts["findings"]) - len(open_findings(audit))
    assert 0 < total(page) == excepted
    choose(page, "State", "not-assessed")
    assert set(page.locator("tbody td[data-label=State]").all_inner_texts()) == {"Not assessed"}
    choose(page, "State", "pass")
    assert total(page) == sum(1 for check in audit.facts["checks"] if check["passed"])
    assert set(page.locator("tbody td[data-label=State]").all_inner_texts()) == {"Pass"}


def test_search_and_the_empty_answer(opened, audit):
    page = opened(audit).go("findings")
    name = audit.facts["findings"][0]["subject"].rsplit("/", 1)[1]
    page.get_by_role("searchbox").fill(name.upper())
    until(page, "location.hash.includes('q=')")
    assert total(page) >= len(open_findings(audit, lambda finding: finding["subject"].endswith("/" + name)))
    assert name in rows(page).first.inner_text()
    page.get_by_role("searchbox").fill("nothing has this name")
    page.get_by_text("Nothing fits these filters.").wait_for()
    assert rows(page).count() == 0 and total(page) == 0


def test_sorting_and_pages(opened, audit):
    page = opened(audit).go("findings")
    subjects = sorted(finding["subject"] for finding in open_findings(audit))
    head = page.get_by_role("button", name="About", exact=True)
    head.click()
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("About")
    shown = page.locator(".subject")
    assert shown.first.get_attribute("title") == subjects[0]
    head.click()
    assert page.locator("th[aria-sort=descending]").count() == 1
    assert shown.first.get_attribute("title") == subjects[-1]
    assert rows(page).count() == 50
    page.get_by_role("button", name="Next").click()
    assert shown.first.get_attribute("title") == subjects[-51]
    page.get_by_label("Rows on a page").select_option("100")
    assert rows(page).count() == 100
    assert f"page 1 of {-(-len(subjects) // 100)}" in page.locator(".pager").inner_text()
    # The place in the table is in the address, so a way back leads to it.
    page.get_by_role("button", name="Next").click()
    assert "page=2" in page.evaluate("location.hash")
    page.reload()
    page.wait_for_selector("main h1")
    assert "page 2 of" in page.locator(".pager").inner_text()


def focused(page):
    return page.evaluate("document.activeElement.textContent")


def test_by_keyboard_alone(opened, audit):
    page = opened(audit).go("findings")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.tagName"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", seen
        if page.evaluate("document.activeElement.className") == "title":
            break
    assert page.evaluate("document.activeElement.className") == "title"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    third = page.locator("a.title").nth(2)
    assert third.evaluate("node => node === document.activeElement")
    route = third.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=What to do")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    page.keyboard.press("Escape")
    page.wait_for_selector("main table")
    assert page.evaluate("document.activeElement.getAttribute('href')") == route
    page.keyboard.press("PageDown")
    assert "page 2 of" in page.locator(".pager").inner_text()
    assert page.locator("a.title").first.evaluate("node => node === document.activeElement")
    page.keyboard.press("ArrowUp")
    assert "page 1 of" in page.locator(".pager").inner_text()
    # Tab leaves the table: rows are one stop.
    page.keyboard.press("Tab")
    assert focused(page).startswith("Next")


def test_a_finding_tells_why_evidence_fix_and_controls(opened, audit):
    told = [one for one in audit.facts["findings"] if one["fix"].get("diff") and one["fix"].get("commands")]
    finding = next(one for one in told if (one.get("place") or {}).get("text"))
    check = next(check for check in audit.facts["checks"] if check["id"] == finding["check"])
    page = opened(audit).go(f"finding/{finding['id']}")
    text = page.locator("main").inner_text()
    for part in [finding["subject"], finding["why"][1:], finding["place"]["policy"], finding["fix"]["text"][1:].replace("`", ""), *check["nist"], finding["id"]]:
        assert part in text
    blocks = page.locator("pre").all_text_contents()
    assert finding["fix"]["commands"][0] in blocks
    assert any(line.strip() and line in "".join(blocks) for line in finding["fix"]["diff"].splitlines())
    page.goto(page.url.split("#")[0] + "#/finding/nothing")
    page.get_by_role("heading", name="No such finding").wait_for()


def test_copying(opened, audit):
    finding = next(one for one in audit.facts["findings"] if one["fix"].get("commands"))
    watched = opened(audit)
    page = watched.go(f"finding/{finding['id']}")
    button = page.get_by_role("button", name="Copy: Command").first
    button.focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[aria-label=\"Copy: Command\"]').textContent === 'Copied'")
    page.goto(page.url.split("#")[0] + "#/checks")
    field = page.get_by_role("searchbox")
    field.focus()
    page.keyboard.press("Control+V")
    assert field.input_value() == finding["fix"]["commands"][0]


def test_not_assessed_is_never_a_pass(opened, audit):
    page = opened(audit).go("checks")
    states = {"not-assessed": "Not assessed", "not-built": "Not built", "pass": "Pass", "fail": "Fail", "not-applicable": "Not applicable"}
    shown = {}
    for row in rows(page).all():
        cells = row.locator("td").all_inner_texts()
        shown[cells[0]] = cells[2]
    assert shown == {check["id"]: states[check["outcome"]] for check in audit.facts["checks"]}
    assert "Not assessed" in shown.values()
    # What is missing is named, with every check that wants it.
    page.goto(page.url.split("#")[0] + "#/evidence")
    text = page.locator("main").inner_text()
    assert "Credential report" in text and "Missing" in text and "ROOT-02" in text


def test_compliance_counts_controls(opened, audit):
    page = opened(audit).go("compliance")
    for standard, key in [("NIST 800-53 r5", "nist"), ("PCI DSS 4.0", "pci"), ("HIPAA", "hipaa")]:
        controls = {}
        for check in audit.facts["checks"]:
            for control in check[key]:
                controls.setdefault(control, []).append(check["outcome"])
        fail = sum("fail" in outcomes for outcomes in controls.values())
        gaps = sum("fail" not in outcomes and bool({"not-assessed", "not-built"} & set(outcomes)) for outcomes in controls.values())
        met = sum(set(outcomes) <= {"pass", "not-applicable"} and "pass" in outcomes for outcomes in controls.values())
        row = rows(page).filter(has_text=standard)
        assert row.locator("td").all_inner_texts() == [str(len(controls)), "", str(fail), str(gaps), str(met)]
    page.get_by_role("link", name="NIST 800-53 r5").click()
    page.get_by_role("heading", name="NIST 800-53 r5").wait_for()
    assert rows(page).filter(has_text="AC-6").count() >= 1


def test_exceptions_and_changes(opened, audit):
    page = opened(audit).go("exceptions")
    text = page.locator("main").inner_text()
    assert "2026-12-31" in text and "moved to groups with the migration" in text
    ended = rows(page).filter(has_text="2026-10-01")
    assert "Ended" in ended.inner_text() and ended.locator("td").last.inner_text() == "0"
    page.goto(page.url.split("#")[0] + "#/changes")
    page.get_by_role("heading", name="Since the baseline").wait_for()
    text = page.locator("main").inner_text()
    new = len(open_findings(audit, lambda finding: finding["new"]))
    assert f"{new:,} findings that the baseline does not have" in text
    assert f"{len(audit.facts['fixed'])} finding of the baseline" in text and "user/gone" in text


def test_the_theme_follows_the_system_and_the_button(opened, audit):
    page = opened(audit, color_scheme="dark").go()
    back = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(back)
    page.emulate_media(color_scheme="light")
    until(page, "document.documentElement.dataset.theme === 'light'")
    light = page.evaluate(back)
    assert dark != light
    button = page.locator("#theme")
    button.click()
    button.click()
    assert button.get_attribute("aria-label") == "Theme: dark" and page.evaluate(back) == dark
    page.emulate_media(media="print")
    assert page.evaluate(back) == "rgb(255, 255, 255)"


def test_it_prints(opened, audit):
    page = opened(audit).go("findings")
    page.get_by_label("Severity", exact=True).select_option("critical")
    assert page.pdf()[:5] == b"%PDF-"
    page.emulate_media(media="print")
    assert not page.locator(".tabs").is_visible() and not page.locator(".filters").is_visible()


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_sticks_out(opened, audit, width):
    watched = opened(audit, viewport={"width": width, "height": 800})
    for route in [*ROUTES, f"finding/{audit.facts['findings'][0]['id']}"]:
        page = watched.go(route)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, route


@pytest.mark.parametrize("scheme, rules", [
    ("light", {}),
    ("dark", {"runOnly": ["color-contrast"]}),
])
def test_an_accessibility_engine_finds_nothing(opened, audit, scheme, rules):
    watched = opened(audit, color_scheme=scheme)
    found = []
    finding = next(one for one in audit.facts["findings"] if one["fix"].get("diff"))
    for route in [*ROUTES, f"finding/{finding['id']}"]:
        page = watched.go(route)
        found += [(route, one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page, options=rules).response["violations"]]
    assert found == []
