"""Draws what a process held over time, with the rows it gave meanwhile, as SVG."""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from meter import Sample

WIDTH, HEIGHT = 860, 480
LEFT, RIGHT = 70, 20
RSS_COLOR, ROWS_COLOR, BOUND_COLOR, BAND_COLOR = "#1f6feb", "#1a7f37", "#cf222e", "#f1f3f5"


@dataclass(frozen=True)
class Panel:
    """One curve above the time axis."""

    title: str
    color: str
    top: int
    bottom: int
    most: float
    of: Callable[[Sample], float]
    # A line that the curve must stay below.
    bound: float | None = None

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * value / self.most


def draw(title: str, samples: Sequence[Sample], most_mib: float) -> str:
    """The picture; phases in which the reader does not just read are shaded and named."""
    seconds = samples[-1].seconds
    step = step_of(seconds)

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / seconds

    most_rows = max(sample.rows for sample in samples) / 1e6
    panels = (
        Panel("RSS of the server, MiB", RSS_COLOR, 70, 260, most_mib * 1.1, _rss, most_mib),
        Panel("rows read, million", ROWS_COLOR, 310, 430, most_rows * 1.1, _million_rows),
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for name, start, end in _phases(samples):
        parts.append(
            f'<rect x="{x(start):.1f}" y="{panels[0].top}" width="{x(end) - x(start):.1f}" '
            f'height="{panels[-1].bottom - panels[0].top}" fill="{BAND_COLOR}"/>'
        )
        parts.append(
            f'<text x="{(x(start) + x(end)) / 2:.1f}" y="{panels[0].bottom + 24}" '
            f'text-anchor="middle">{escape(name)}</text>'
        )
    for panel in panels:
        parts += _panel(panel, samples, x)
    for at in range(0, int(seconds) + 1, step):
        parts.append(
            f'<text x="{x(at):.1f}" y="{panels[-1].bottom + 18}" text-anchor="middle">{at}</text>'
        )
    parts.append(
        f'<text x="{WIDTH - RIGHT}" y="{panels[-1].bottom + 36}" text-anchor="end">seconds</text>'
    )
    return "\n".join([*parts, "</svg>", ""])


def _rss(sample: Sample) -> float:
    return sample.rss_mib


def _million_rows(sample: Sample) -> float:
    return sample.rows / 1e6


def step_of(most: float, ticks: int = 8) -> int:
    """A round distance between that many marks at most."""
    return next(
        step
        for power in itertools.count()
        for step in (10**power, 2 * 10**power, 5 * 10**power)
        if most / step <= ticks
    )


def _phases(samples: Sequence[Sample]) -> list[tuple[str, float, float]]:
    found = []
    for phase, group in itertools.groupby(samples, key=lambda sample: sample.phase):
        of_phase = list(group)
        if phase != samples[0].phase:
            found.append((f"reader {phase}", of_phase[0].seconds, of_phase[-1].seconds))
    return found


def _panel(panel: Panel, samples: Sequence[Sample], x: Callable[[float], float]) -> list[str]:
    marks = marks_of(panel.most)
    parts = [f'<text x="{LEFT}" y="{panel.top - 8}" fill="{panel.color}">{panel.title}</text>']
    for mark in marks:
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{panel.y(mark):.1f}" '
            f'y2="{panel.y(mark):.1f}" stroke="#d0d7de" stroke-width="0.7"/>'
        )
        parts.append(
            f'<text x="{LEFT - 8}" y="{panel.y(mark) + 4:.1f}" text-anchor="end">{mark:g}</text>'
        )
    if panel.bound is not None:
        y = panel.y(panel.bound)
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="{BOUND_COLOR}" stroke-dasharray="6 4"/>'
        )
        parts.append(
            f'<text x="{WIDTH - RIGHT}" y="{y + 15:.1f}" text-anchor="end" '
            f'fill="{BOUND_COLOR}">at most {panel.bound:g}</text>'
        )
    points = " ".join(f"{x(s.seconds):.1f},{panel.y(panel.of(s)):.1f}" for s in samples)
    parts.append(
        f'<polyline points="{points}" fill="none" stroke="{panel.color}" stroke-width="1.8"/>'
    )
    return parts


def marks_of(most: float) -> list[float]:
    """Round numbers from 0 to `most`, about five."""
    power = 10 ** math.floor(math.log10(most / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if most / (power * factor) <= 6)
    return [step * i for i in range(int(most / step) + 1)]
