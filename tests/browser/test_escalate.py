"""The graph of escalations as a page, beside the JSON report of the same account."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import made, until

ROUTES = ["graph", "principals", "cuts", "administrators", "through?edge=0"]


def name(arn):
    return arn.split("/", 1)[1]


def nodes(page):
    return page.locator(".canvas .node")


def test_it_is_small(escalate):
    assert escalate.size < 5_000_000


def test_the_graph_is_drawn_and_says_how_many(opened, escalate):
    page = opened(escalate).go()
    sure = sum(finding["certain"] for finding in escalate.facts["findings"])
    assert page.locator(".figure b").inner_text() == str(sure)
    assert 3 < nodes(page).count() < 60 and page.locator(".canvas .edge").count() > 3
    # Groups hold every place where a way begins, goes on or ends.
    places = set()
    for finding in escalate.facts["findings"]:
        for step in finding["ways"][0]["steps"]:
            for end in [step["at"], step["to"]]:
                places.add(str(end))
    counts = sum(int(text.split()[0].replace(",", "")) for text in page.locator(".canvas .count").all_text_contents())
    alone = page.locator(".canvas .node.one").count()
    assert counts + alone == len(places)


def test_boxes_open_by_keyboard(opened, escalate):
    page = opened(escalate).go()
    assert page.locator(".canvas [tabindex='0']").count() == 1
    before = nodes(page).count()
    group = page.locator(".canvas .node.group").first
    group.focus()
    assert group.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"
    assert nodes(page).count() > before
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "location.hash.startsWith('#/principal/') || location.hash.startsWith('#/through')")
    assert page.evaluate("document.activeElement.tagName") == "H1"


def test_arrows_walk_the_columns(opened, escalate):
    page = opened(escalate).go()
    page.locator(".canvas .node").first.focus()
    first = page.evaluate("document.activeElement.getAttribute('aria-label')")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert second and second != first
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.classList.contains('node')")


def test_the_table_twin(opened, escalate):
    page = opened(escalate).go()
    page.get_by_text("The same as a table").click()
    assert page.locator("details table tbody tr").count() == page.locator(".canvas .edge").count()
    page = opened(escalate).go("principals")
    assert f"{len(escalate.facts['findings'])} principals" in page.locator(".above").inner_text()
    page.get_by_label("How sure").select_option("true")
    sure = sum(finding["certain"] for finding in escalate.facts["findings"])
    assert f"{sure} principals" in page.locator(".above").inner_text()
    page.get_by_label("How sure").select_option("false")
    texts = page.locator("tbody td[data-label='Only with']").all_inner_texts()
    assert texts and all(texts)


def test_a_principal_step_by_step(opened, escalate):
    finding = max(escalate.facts["findings"], key=lambda one: len(one["ways"][0]["steps"]))
    page = opened(escalate).go(f"principal/{finding['id']}")
    assert page.locator("h1").inner_text() == name(finding["principal"])
    assert page.locator("main section").nth(1).locator(".steps > li").count() == len(finding["ways"][0]["steps"])
    text = page.locator("main").inner_text()
    for step in finding["ways"][0]["steps"]:
        for ask in step["asks"]:
            assert ask["action"] in text and ask["resource"] in text
    assert finding["fix"]["command"] in page.locator("pre").all_text_contents()
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Principals", exact=True).wait_for()


def test_cuts(opened, escalate):
    page = opened(escalate).go("cuts")
    first = escalate.facts["cuts"][0]
    row = page.locator("tbody tr").first
    assert row.locator("td").nth(1).inner_text() == str(first["closes"])
    page.locator("a.title").first.press("Enter")
    page.get_by_text(f"{first['of']} ways of").wait_for()


def test_nobody_gets_there(opened, thousand, tmp_path):
    quiet = tmp_path / "quiet.json"
    quiet.write_text('{"UserDetailList": [{"Path": "/", "UserName": "ann", "UserId": "AIDAQQQQQQQQQQQQQQQQQ", "Arn": "arn:aws:iam::111122223333:user/ann",'
                     ' "CreateDate": "2025-01-01T00:00:00Z", "GroupList": [], "AttachedManagedPolicies": []}], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}')
    page = opened(made(tmp_path, "quiet", "escalate", quiet)).go()
    assert "Nobody gets there" in page.locator("main").inner_text()


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out(opened, escalate, width):
    watched = opened(escalate, viewport={"width": width, "height": 800})
    for route in [*ROUTES, f"principal/{escalate.facts['findings'][0]['id']}"]:
        page = watched.go(route)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, route


@pytest.mark.parametrize("scheme, rules", [
    ("light", {}),
    ("dark", {"runOnly": ["color-contrast"]}),
])
def test_an_accessibility_engine_finds_nothing(opened, escalate, scheme, rules):
    watched = opened(escalate, color_scheme=scheme)
    found = []
    for route in [*ROUTES, f"principal/{escalate.facts['findings'][0]['id']}"]:
        page = watched.go(route)
        found += [(route, one["id"], one["nodes"][0]["html"][:200]) for one in Axe().run(page, options=rules).response["violations"]]
    assert found == []
