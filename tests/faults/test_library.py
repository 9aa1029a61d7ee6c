"""The library as a whole, and what its reader says of mistakes."""

from pathlib import Path

import pytest
from http2_peer import Http2Rule
from library import load, read_scenarios
from list_scenarios import BEGIN, DOCUMENT, listed
from sections import ScenarioError


def test_there_are_sixty_scenarios_and_no_two_are_the_same() -> None:
    scenarios = load()
    assert len(scenarios) >= 60
    seen: dict[str, str] = {}
    for scenario in scenarios:
        what = repr(
            (
                scenario.for_fake() | {"name": ""},
                scenario.http2,
                scenario.network,
                scenario.dns,
                scenario.clock,
                scenario.run,
            )
        )
        assert what not in seen, f'"{scenario.name}" is "{seen[what]}"'
        seen[what] = scenario.name


def test_the_document_lists_them_all() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].strip() == listed().strip(), (
        "docs/faults.md is old; tests/faults/run.sh list makes it anew"
    )


def test_what_may_be_combined_ends_well_alone() -> None:
    for scenario in load():
        if scenario.combine:
            assert scenario.expect.exit_code == 0, scenario.name
            assert scenario.expect.rows == {}, scenario.name
            assert not scenario.run.server, scenario.name
            assert scenario.run.certificate == "good", scenario.name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("  abuot: y\n", "3: [0].abuot: unknown key; did you mean about?"),
        ("  expect: {exit: zero}\n", "3: [0].expect.exit: must be a whole number"),
        ("  expect: {rows: {user: failed}}\n", "3: [0].expect.rows.user: no table is called so"),
        ("  run: {certificate: bad}\n", '3: [0].run.certificate: "bad": known here: expired, '),
        ("  expect: {seconds: soon}\n", '3: [0].expect.seconds: "soon" is not a duration'),
        (
            "  network: [{between: server-intercom, toxic: latenzy}]\n",
            '3: [0].network[0].toxic: "latenzy": did you mean latency?',
        ),
        (
            "  network: [{between: client-server, toxic: latency}]\n",
            "3: [0].network: client-server needs `run: {server: true}`",
        ),
        ("  http2: {rules: [{on: {nth: 1}}]}\n", "3: [0].http2.rules[0].do: is missing"),
        ("  expect: {requests: many}\n", '"many" is no number of requests; write 150 or 1.2x'),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "scenarios.yaml"
    file.write_text(f"- name: x\n  about: y\n{text}")
    with pytest.raises(ScenarioError) as found:
        read_scenarios(file)
    assert message in str(found.value)


def test_rules_of_http2_count_as_those_of_the_fake() -> None:
    rule = Http2Rule(every=3, first=2, last=9)
    assert [turn for turn in range(1, 13) if rule.has(turn)] == [3, 6, 9]
    assert [turn for turn in range(1, 5) if Http2Rule(nth=(2, 4)).has(turn)] == [2, 4]
