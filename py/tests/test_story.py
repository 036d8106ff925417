"""What an operator is told about cases that went wrong: on stored cases that the simulator made, with its ledger."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
from stories import RANDOM, STORIES, load, play

from atlas_postbooking.cli import story
from atlas_postbooking.replies import Case

#: What must be in the verdict of each story, and in the advice with its commands.
TOLD: dict[str, tuple[str, tuple[str, ...]]] = {
    "lost_and_listed": ("EXECUTED. .* reply was lost", ("Nothing: the follow-up goes on",)),
    "lost_and_quoted": ("EXECUTED. .* reply was lost", ("Nothing: the follow-up goes on",)),
    "lost_without_code": ("EXECUTED. .* ask Atlas", ("Record the code", "cases resolve desk-4711 --as executed", "orders show TESTA")),
    "lost_and_unknown": ("UNKNOWN. .*reply was lost.* Do not send it again", ("cases reconcile desk-4711", "Next question: 2026-03-02 08:01:00 UTC")),
    "never_arrived": ("NOT EXECUTED. .*does not list it", ("--after 01", "a risk")),
    "double_listed": ("EXECUTED, BY ANOTHER PROGRAM. .*shows no second one", ("Find the program", "orders show TESTA", "cases list --order TESTA")),
    "double_unknown": ("UNKNOWN. .*does not say whose", ("another program", "--as executed", "--as not_executed", "orders show TESTA")),
    "double_seen_before": ("EXECUTED, BY ANOTHER PROGRAM", ("Do not submit it again", "orders show TESTA")),
    "settled_by_a_person": ("NOT EXECUTED.* Eva says not executed: mail of Atlas", ("--after 01",)),
}


@pytest.fixture(params=STORIES)
def told(request: pytest.FixtureRequest) -> tuple[str, Case, list[dict[str, Any]]]:
    stored = load(request.param)
    return request.param, Case.build(stored["case"]), stored["ledger"]


def test_the_stored_cases_are_what_the_simulator_makes(told: tuple[str, Case, Any]) -> None:
    name, case, ledger = told
    played = play(name)
    assert played["ledger"] == ledger
    stored = case.to_dict()
    assert {k: v for k, v in played["case"].items() if k not in RANDOM} == {k: v for k, v in stored.items() if k not in RANDOM}


def test_verdict_and_advice(told: tuple[str, Case, Any]) -> None:
    name, case, _ = told
    verdict, advice = story.verdict(case), story.advice(case)
    assert re.search(TOLD[name][0], verdict), verdict
    whole = "\n".join((advice.text, *advice.commands))
    for part in TOLD[name][1]:
        assert part in whole


def test_the_verdict_agrees_with_the_ledger(told: tuple[str, Case, list[dict[str, Any]]]) -> None:
    """The ledger says what was executed, and by which offer; the words must not say otherwise."""
    name, case, ledger = told
    executed = [row["offerId"] for row in ledger if row["executed"]]
    verdict = story.verdict(case)
    if verdict.startswith("EXECUTED, BY ANOTHER"):
        assert executed == [case.offer_id] and name.startswith("double")
    elif verdict.startswith("EXECUTED"):
        assert executed == [case.offer_id] and name.startswith("lost")
    elif verdict.startswith("NOT EXECUTED"):
        assert case.offer_id not in executed
    else:
        assert verdict.startswith("UNKNOWN") and executed


def test_every_query_with_what_it_proved(told: tuple[str, Case, Any]) -> None:
    _, case, _ = told
    timeline = story.timeline(case)
    proofs = {each.what: each.proved for each in timeline}
    for each in case.evidence or []:
        assert proofs[f"{each.what}."], each.what
    times = [each.at for each in timeline if each.at is not None]
    assert times == sorted(times)
    for step in case.steps or []:
        (sent,) = (each for each in timeline if each.what.startswith("Sent: "))
        assert sent.at == step.sent_at and (step.request_id or "no request id") in sent.what


def test_the_text_for_atlas(told: tuple[str, Case, Any]) -> None:
    _, case, _ = told
    text = story.letter(case)
    for part in (case.order_no, case.offer_id, case.key):
        assert part is not None and part in text
    for step in case.steps or []:
        assert "2026-03-02 08:00:00 UTC (16:00:00 in Singapore)" in text
        assert (step.request_id or "none received") in text
    for each in case.evidence or []:
        assert each.strength == "human" or (each.what or "") in text
    assert "Eva" not in text and "LARCH" not in text


def test_a_double_says_whose_step_was_executed() -> None:
    case = Case.build(load("double_listed")["case"])
    assert case.steps is not None and case.steps[0].outcome == "executed", "the store's word, which is not the whole truth"
    assert "not because its request made it" in story.verdict(case)
    assert "q_" not in next(each.what for each in story.timeline(case) if each.what.startswith("Sent"))
    proved = [each.proved for each in story.timeline(case) if each.proved]
    assert proved == ["Proves that Atlas has one, by another program: the offer is not the one that this case submitted."]


def test_commands_can_be_pasted() -> None:
    """A key may be anything: in a shell it is one word."""
    case = Case.build({**load("double_unknown")["case"], "key": "desk 4711; echo 'oops'"})
    for command in story.advice(case).commands:
        if "resolve" in command:
            printed = subprocess.run(["sh", "-c", command.replace("atlas-postbooking", "printf %s\\\\n")], capture_output=True, text=True)
            assert printed.stdout.splitlines()[:3] == ["cases", "resolve", "desk 4711; echo 'oops'"]


def test_a_state_of_a_later_version_is_shown() -> None:
    case = Case.build({**load("lost_and_listed")["case"], "state": "a_new_state", "kind": "a_new_kind"})
    assert "a state that this version does not know" in story.verdict(case)
    assert story.letter(case) and story.timeline(case)
