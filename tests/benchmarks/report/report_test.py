"""Tests of what is made of benchmarks' results, on made-up ones."""

import json
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import expectations
import page
import plot
import ratios

FOLDER = Path(__file__).resolve().parent


def run(name: str, time: float, unit: str = "ms", **more: Any) -> dict[str, Any]:
    """One run of a benchmark, as Google Benchmark writes it."""
    return {"name": name, "run_name": name, "real_time": time, "time_unit": unit, **more}


def median(name: str, time: float) -> dict[str, Any]:
    aggregate = {"run_type": "aggregate", "aggregate_name": "median"}
    return {**run(name, time), "name": f"{name}_median", **aggregate}


def expectation(name: str, against: str, measure: str, **more: Any) -> dict[str, Any]:
    entry = {"name": name, "against": against, "what": name, "measure": measure, "tolerance": 0.1}
    return {**entry, **more}


class TestCase(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def results_file(
        self, *benchmarks: dict[str, Any], name: str = "one.json", others: float = 0.1
    ) -> Path:
        file = self.folder / name
        context = {"date": "2026-01-02T03:04:05+00:00", "num_cpus": 2, "others_cpus": others}
        file.write_text(json.dumps({"context": context, "benchmarks": benchmarks}))
        return file

    def pairs(self, *benchmarks: dict[str, Any]) -> list[ratios.Pair]:
        return ratios.read([self.results_file(*benchmarks)]).pairs()

    def expected(self, *entries: dict[str, Any]) -> list[expectations.Expectation]:
        file = self.folder / "ratios.json"
        file.write_text(json.dumps(entries))
        return expectations.read(file)

    def problems(
        self, entries: Sequence[dict[str, Any]], *benchmarks: dict[str, Any], others: float = 0.1
    ) -> list[str]:
        results = ratios.read([self.results_file(*benchmarks, others=others)])
        return expectations.problems(self.expected(*entries), results)


class RatiosTest(TestCase):
    def test_ours_pairs_with_each_baseline_of_its_name(self) -> None:
        found = self.pairs(
            run("page/ours", 2), run("page/floor", 1), run("page/ordinary", 8), run("list/floor", 1)
        )
        self.assertEqual(
            [(pair.name, pair.against, pair.speed) for pair in found],
            [("page", "floor", 0.5), ("page", "ordinary", 4.0)],
        )

    def test_arguments_may_stand_behind_and_settings_do_not_count(self) -> None:
        found = self.pairs(
            run("stream/ours/64/real_time", 3), run("stream/raw/64/iterations:5/real_time", 1)
        )
        self.assertEqual([(pair.name, pair.cost) for pair in found], [("stream/64", 3.0)])

    def test_a_median_counts_rather_than_single_runs(self) -> None:
        (pair,) = self.pairs(
            *(run("page/ours", time) for time in (9, 9, 9)),
            median("page/ours", 4),
            *(run("page/bare", time) for time in (1, 2, 100)),
        )
        self.assertEqual(pair.cost, 2.0)

    def test_work_per_second_counts_rather_than_time(self) -> None:
        (pair,) = self.pairs(
            run("page/ours", 1, items_per_second=300), run("page/floor", 1, items_per_second=100)
        )
        self.assertEqual(pair.speed, 3.0)

    def test_units_of_time_may_differ(self) -> None:
        (pair,) = self.pairs(run("page/ours", 5, "us"), run("page/floor", 1000, "ns"))
        self.assertAlmostEqual(pair.cost, 5.0)

    def test_what_is_no_time_has_its_unit_in_its_label(self) -> None:
        (pair,) = self.pairs(
            run("rss/ours", 70, label="unit: MiB"), run("rss/bound", 100, label="unit: MiB")
        )
        self.assertEqual(pair.ours.unit, "MiB")
        self.assertAlmostEqual(pair.cost, 0.7)

    def test_results_of_several_programs_are_one(self) -> None:
        files = [
            self.results_file(run("page/ours", 2)),
            self.results_file(run("page/floor", 1), name="two.json"),
        ]
        self.assertEqual(len(ratios.read(files).pairs()), 1)

    def test_a_failed_benchmark_is_no_result(self) -> None:
        failed = run("page/ours", 0, error_occurred=True, error_message="rows are missing")
        with self.assertRaisesRegex(ratios.Unreadable, "page/ours: rows are missing"):
            self.pairs(failed)

    def test_a_time_of_nothing_and_broken_files_are_no_result(self) -> None:
        with self.assertRaises(ratios.Unreadable):
            self.pairs(run("page/ours", 0))
        broken = self.folder / "broken.json"
        broken.write_text("{")
        with self.assertRaises(ratios.Unreadable):
            ratios.read([broken])


class CheckTest(TestCase):
    COST = expectation("page", "bare", "cost", recorded=2.0)
    SPEED = expectation("page", "bare", "speed", recorded=0.5)

    def test_the_same_ratio_at_other_times_is_no_problem(self) -> None:
        self.assertEqual(
            self.problems([self.COST], run("page/ours", 2000), run("page/bare", 1000)), []
        )

    def test_a_cost_may_rise_by_the_tolerance_and_no_more(self) -> None:
        found = self.problems([self.COST], run("page/ours", 2.19), run("page/bare", 1))
        self.assertEqual(found, [])
        (problem,) = self.problems([self.COST], run("page/ours", 2.21), run("page/bare", 1))
        self.assertIn("page against bare: cost fell from 2 to 2.21", problem)

    def test_a_speed_may_sink_by_the_tolerance_and_no_more(self) -> None:
        found = self.problems([self.SPEED], run("page/ours", 2.2), run("page/bare", 1))
        self.assertEqual(found, [])
        (problem,) = self.problems([self.SPEED], run("page/ours", 2.3), run("page/bare", 1))
        self.assertIn("page against bare: speed fell from 0.5 to 0.435", problem)

    def test_better_is_never_a_problem(self) -> None:
        for entry in (self.COST, self.SPEED):
            self.assertEqual(self.problems([entry], run("page/ours", 1), run("page/bare", 9)), [])

    def test_a_target_has_no_tolerance(self) -> None:
        cost = expectation("page", "bare", "cost", target=1.7)
        speed = expectation("page", "bare", "speed", target=0.5)
        self.assertEqual(self.problems([cost], run("page/ours", 1.7), run("page/bare", 1)), [])
        (problem,) = self.problems([cost], run("page/ours", 1.71), run("page/bare", 1))
        self.assertIn("the target is at most 1.7", problem)
        (problem,) = self.problems([speed], run("page/ours", 2.1), run("page/bare", 1))
        self.assertIn("the target is at least 0.5", problem)

    def test_what_a_benchmark_no_longer_measures_is_a_problem(self) -> None:
        other = expectation("page/large", "bare", "cost", recorded=1.0)
        (problem,) = self.problems([self.COST, other], run("page/ours", 2), run("page/bare", 1))
        self.assertEqual(problem, "page/large against bare: was not measured")

    def test_benchmarks_that_did_not_run_are_no_problem(self) -> None:
        other = expectation("stream", "raw", "speed", recorded=1.0)
        self.assertEqual(
            self.problems([self.COST, other], run("page/ours", 2), run("page/bare", 1)), []
        )

    def test_wall_times_beside_the_work_of_others_are_not_judged(self) -> None:
        wall = expectation("page", "bare", "cost", recorded=2.0, wall=True)
        cpu = expectation("page", "bare", "cost", recorded=2.0)
        benchmarks = run("page/ours", 3), run("page/bare", 1)
        self.assertEqual(self.problems([wall], *benchmarks, others=0.5), [])
        self.assertEqual(len(self.problems([wall], *benchmarks, others=0.2)), 1)
        self.assertEqual(len(self.problems([cpu], *benchmarks, others=0.5)), 1)

    def test_recording_changes_only_what_was_measured(self) -> None:
        expected = self.expected(self.COST, expectation("stream", "raw", "speed", recorded=1.0))
        measured = self.results_file(run("page/ours", 3), run("page/bare", 2))
        expectations.record(expected, ratios.read([measured]))
        file = self.folder / "written.json"
        expectations.write(file, expected)
        self.assertEqual([entry.recorded for entry in expectations.read(file)], [1.5, 1.0])


class PageTest(TestCase):
    def test_says_ratio_target_and_verdict_of_each_pair(self) -> None:
        results = ratios.read(
            [
                self.results_file(
                    run("page/ours", 3),
                    run("page/bare", 2),
                    run("list/ours", 1, items_per_second=1_234_567),
                    run("list/floor", 1, items_per_second=2e6),
                    run("other/ours", 1),
                    run("other/raw", 2),
                )
            ]
        )
        expected = self.expected(
            expectation("page", "bare", "cost", target=1.4),
            expectation("list", "floor", "speed", target=0.5),
        )
        text = page.write(results, expected, "benchmarks.svg")
        self.assertIn("Measured 2026-01-02 on a machine with 2 shared cores.", text)
        self.assertIn("| cost 1.50 × | at most 1.4 × | miss |", text)
        self.assertIn("| 1.23 M/s | the least it can take: 2 M/s | speed 0.62 ×", text)
        self.assertIn("| at least 0.5 × | pass |", text)
        self.assertIn("| `other` | 1 ms | raw bytes: 2 ms | speed 2.00 × |  |  |", text)

    def test_says_that_the_machine_was_busy(self) -> None:
        file = self.results_file(run("page/ours", 3), run("page/bare", 2), others=1.26)
        expected = self.expected(expectation("page", "bare", "cost", target=2, wall=True))
        text = page.write(ratios.read([file]), expected, "benchmarks.svg")
        self.assertIn("with 2 shared cores; others used 1.3 CPUs", text)
        self.assertIn("| at most 2 × | not judged |", text)


class PlotTest(TestCase):
    def scaled(self, contacts: int, ours: float, bare: float) -> list[dict[str, Any]]:
        name = f"pipeline/{contacts}/server_cpu"
        return [
            run(f"{name}/ours", ours, cpu_us_per_contact=ours),
            run(f"{name}/bare", bare, cpu_us_per_contact=bare),
        ]

    def draw(self, benchmarks: Sequence[dict[str, Any]], *entries: dict[str, Any]) -> str:
        results = ratios.read([self.results_file(*benchmarks)])
        return plot.draw(results, self.expected(*entries))

    def test_is_a_picture_with_a_bar_for_each_target(self) -> None:
        text = self.draw(
            [run("page/ours", 4), run("page/bare", 2), run("list/ours", 1), run("list/bare", 1)],
            expectation("page", "bare", "cost", target=1.0),
            expectation("list", "bare", "speed", target=0.9),
            expectation("never", "bare", "speed", target=0.9),
        )
        xml.etree.ElementTree.fromstring(text)
        self.assertEqual((text.count('class="miss"'), text.count('class="pass"')), (1, 1))
        # Half of what is wanted is a quarter of an axis that ends at twice.
        self.assertIn(f'width="{(plot.RIGHT - plot.LEFT) / 4:.1f}"', text)

    def test_a_bar_ends_where_the_axis_does(self) -> None:
        text = self.draw(
            [run("page/ours", 1), run("page/bare", 100)],
            expectation("page", "bare", "cost", target=1.0),
        )
        self.assertIn(f'width="{plot.RIGHT - plot.LEFT:.1f}"', text)

    def test_costs_by_the_number_of_contacts_are_in_order(self) -> None:
        benchmarks = self.scaled(100_000, 8, 2) + self.scaled(10_000, 9, 1)
        points = plot.scale_points(self.pairs(*benchmarks))
        self.assertEqual(points, [plot.Point(10_000, 9, 1), plot.Point(100_000, 8, 2)])
        text = self.draw(benchmarks)
        xml.etree.ElementTree.fromstring(text)
        self.assertEqual(text.count("<circle"), 4)


class ProgramTest(TestCase):
    def report(self, what: str, *more: str | Path) -> subprocess.CompletedProcess[str]:
        flags = ["--ratios", self.folder / "ratios.json", "--docs", self.folder]
        command = [sys.executable, FOLDER / "report.py", what, *more, *flags]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_check_ends_with_1_and_names_what_fell(self) -> None:
        self.expected(expectation("page", "bare", "cost", recorded=2.0))
        good = self.results_file(run("page/ours", 2), run("page/bare", 1))
        self.assertEqual(self.report("check", good).returncode, 0)
        bad = self.results_file(run("page/ours", 3), run("page/bare", 1))
        done = self.report("check", bad)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAILED: page against bare: cost fell from 2 to 3", done.stdout)

    def test_results_without_a_pair_prove_nothing(self) -> None:
        self.expected()
        done = self.report("check", self.results_file(run("page/ours", 2)))
        self.assertEqual(done.returncode, 1)

    def test_writes_page_and_picture(self) -> None:
        self.expected(expectation("page", "bare", "cost", target=2.0))
        done = self.report("page", self.results_file(run("page/ours", 2), run("page/bare", 1)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("(benchmarks.svg)", (self.folder / "benchmarks.md").read_text())
        xml.etree.ElementTree.parse(self.folder / "benchmarks.svg")


class RecordedTest(unittest.TestCase):
    def test_what_is_recorded_can_be_read_and_names_each_pair_once(self) -> None:
        recorded = expectations.read(FOLDER.parent / "ratios.json")
        keys = [(entry.name, entry.against) for entry in recorded]
        self.assertTrue(keys)
        self.assertEqual(len(keys), len(set(keys)))
        for entry in recorded:
            self.assertIn(entry.against, ratios.BASELINES)


if __name__ == "__main__":
    unittest.main()
