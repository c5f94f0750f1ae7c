"""`bailiwick escalate` on accounts that were planted by another hand than the finder's own."""

import sys

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests/tools"))

import escalation_accounts as planted  # noqa: E402

pytestmark = pytest.mark.untraced


def test_all_paths_are_found_and_no_decoy_is_certain(binary, tmp_path, capsys):
    answers = planted.survey(binary, tmp_path, seed=20261122)
    lines, wrong = planted.summary(answers)
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert not wrong, "\n".join(wrong)
    # Each of the 107 paths was there.
    labels = {label for *_, label, _ in answers}
    assert all(f"path ESC-{number:03}" in labels for number in range(1, 108))


def test_a_report_that_says_nothing_or_all_is_wrong():
    account = planted.Account(planted.random.Random(7))
    for path in ("004", "071"):
        planted.planted(account, path)
        planted.barred(account, path)
    silent = planted.judged(account, {"findings": [], "administrators": []})
    assert sum(not right for _, _, _, right, *_ in silent) == 2
    everybody = [{"principal": arn, "certain": True, "ways": []} for arn in account.truth]
    loud = planted.judged(account, {"findings": everybody, "administrators": []})
    assert sum(not right for _, _, _, right, *_ in loud) == 2
