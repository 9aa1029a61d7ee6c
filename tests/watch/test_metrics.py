"""/metrics: every metric of the documentation is there and moves; dashboard and alerts use them."""

import csv
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from watched import ROOT, Scraper, documented_metrics, running, samples_of, until

# They say what does not change while a process lives.
CONSTANT = {
    "intercom_extractor_build_info",
    "process_max_fds",
    "process_start_time_seconds",
}
# Intercom's operations, gRPC's methods, tables and codes bound the rest.
LABEL_VALUES = {
    "cause": r"quota|intercom|consumer|cpu",
    "code": r"[A-Z_]+|\d{3}|none",
    "connection": r"default|unused",
    "endpoint": r"(GET|POST) /[a-z_/{}]+",
    "method": r"[\w.]+/\w+",
    "reason": r"[A-Z_]+",
    "table": r"[a-z_]*",
    "version": r"\d+\.\d+\.\d+",
    "le": r"[\d.]+|\+Inf",
}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def series_names() -> set[str]:
    return {
        metric.name + suffix
        for metric in documented_metrics().values()
        for suffix in SUFFIXES[metric.type]
    }


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Scraper:
    """What a server gave through whole runs, a reader that stops, failures and its own end."""
    folder = tmp_path_factory.mktemp("metrics")
    faults = ("--faults", "status:502:30,reset:25", "--quota", "400/2s")
    with running(folder, *faults, "--users", "100000") as watched, Scraper(watched) as scraper:
        whole = watched.start_extraction("--tables", "tags,companies,conversation_parts")
        assert whole.wait(timeout=120) == 0
        # Its pipe and queues are full long before the end.
        watched.start_extraction("--tables", "users", keep_reading=False)
        until(
            lambda: watched.metrics()["intercom_extractor_buffered_bytes"]['connection="default"'],
            "a reader is waited for",
        )
        until(
            lambda: [run["waiting_for"] for run in watched.status()["running"]] == ["consumer"],
            "the page says so",
        )
        watched.terminate()
        until(lambda: watched.get("readyz")[0] == 503, "it is stopping")
        assert watched.get("livez") == (200, "ok\n")
        scraper.scrape()
    return scraper


def test_every_documented_metric_is_there_and_moves(scraped: Scraper) -> None:
    scrapes = [samples_of(text) for text in scraped.texts]
    missing = [name for name in sorted(series_names()) if name not in scrapes[-1]]
    assert missing == []
    still = [
        name
        for name in sorted(series_names() - CONSTANT)
        if all(scrape.get(name) == scrapes[0].get(name) for scrape in scrapes)
    ]
    assert still == []


def test_nothing_else_is_there(scraped: Scraper) -> None:
    names = set().union(*(samples_of(text) for text in scraped.texts))
    assert names - series_names() == set()


def test_counters_never_fall(scraped: Scraper) -> None:
    counters = [m.name for m in documented_metrics().values() if m.type == "counter"]
    last: dict[tuple[str, str], float] = {}
    for text in scraped.texts:
        for line in text.splitlines():
            name = re.split(r"[{ ]", line, maxsplit=1)[0]
            if name not in counters:
                continue
            labels, value = line.rsplit(" ", 1)
            assert float(value) >= last.get((name, labels), 0), line
            last[name, labels] = float(value)
    assert last


def test_labels_are_those_of_the_documentation_and_bounded(scraped: Scraper) -> None:
    metrics = documented_metrics()
    for line in scraped.texts[-1].splitlines():
        if line.startswith("#"):
            continue
        name = re.split(r"[{ ]", line, maxsplit=1)[0]
        labels = dict(re.findall(r'(\w+)="([^"]*)"', line))
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        expected = set(metrics[name if name in metrics else base].labels)
        assert set(labels) - {"le"} == expected, line
        for label, value in labels.items():
            assert re.fullmatch(LABEL_VALUES[label], value), line


def test_rows_and_requests_are_counted_right(tmp_path: Path) -> None:
    with running(tmp_path) as watched:
        assert watched.start_extraction("--template", "all").wait(timeout=120) == 0
        until(
            lambda: watched.metrics().get("intercom_extractor_extractions_total"),
            "the extraction has ended",
        )
        metrics = watched.metrics()
        rows = 0
        csv.field_size_limit(1 << 30)
        for file in (tmp_path / "out-0").glob("*.csv"):
            with file.open(newline="") as lines:
                count = sum(1 for _ in csv.reader(lines)) - 1
            labels = f'connection="default",table="{file.stem}"'
            assert metrics["intercom_extractor_rows_total"].get(labels, 0) == count, file.stem
            rows += count
        assert rows > 1000
        sent = sum(metrics["intercom_extractor_intercom_requests_total"].values())
        assert sent == watched.fake.stats()["total"]
        assert metrics["intercom_extractor_truncated_conversations_total"] == {
            # Those with 501 and 900 parts.
            'connection="default"': 2.0,
            'connection="unused"': 0.0,
        }


def promtool(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True)


def test_promtool_finds_nothing_to_say(scraped: Scraper) -> None:
    for text in (scraped.texts[0], scraped.texts[-1]):
        checked = promtool("check", "metrics", text=text)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_alert_rules_hold_what_their_tests_say() -> None:
    folder = ROOT / "deploy/prometheus"
    checked = promtool("check", "rules", folder / "intercom-extractor.rules.yml")
    assert checked.returncode == 0, checked
    tested = promtool("test", "rules", folder / "intercom-extractor.rules.test.yml")
    assert tested.returncode == 0, tested


def test_every_alert_is_tested_and_has_a_runbook() -> None:
    folder = ROOT / "deploy/prometheus"
    rules = yaml.safe_load((folder / "intercom-extractor.rules.yml").read_text())
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    tests = yaml.safe_load((folder / "intercom-extractor.rules.test.yml").read_text())
    fired = {
        case["alertname"]
        for test in tests["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert fired == alerts
    documented = set(
        re.findall(r"`(IntercomExtractor\w+)`", (ROOT / "docs/watching.md").read_text())
    )
    assert documented == alerts


def names_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:intercom_extractor|process)_\w+", expression))


def expressions(node: object) -> list[str]:
    if isinstance(node, dict):
        own = [node["expr"]] if isinstance(node.get("expr"), str) else []
        own += [query for query in (node.get("query"),) if isinstance(query, str)]
        return own + [found for child in node.values() for found in expressions(child)]
    if isinstance(node, list):
        return [found for child in node for found in expressions(child)]
    return []


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    dashboard = json.loads((ROOT / "deploy/grafana/intercom-extractor.json").read_text())
    used = set().union(*(names_in(text) for text in expressions(dashboard)))
    assert used - series_names() == set()
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in used}
    assert {m.name for m in documented_metrics().values()} - shown == set()


def test_alerts_name_existing_metrics() -> None:
    rules = yaml.safe_load((ROOT / "deploy/prometheus/intercom-extractor.rules.yml").read_text())
    used = set().union(*(names_in(text) for text in expressions(rules)))
    assert used
    assert used - series_names() == set()
