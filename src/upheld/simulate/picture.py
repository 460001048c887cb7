"""A picture of a simulation as SVG: what was held, what was kept apart, what had been destroyed, month by month.

Two panels share one axis of time, because what is destroyed adds up and would flatten what is there. The areas differ
in lightness and pattern as well as in colour, so that they can be told apart on paper without colour.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, log10
from pathlib import Path
from xml.sax.saxutils import escape

from upheld.simulate.summary import Summary
from upheld.simulate.tally import Stand

_WIDTH, _HEIGHT = 1000, 600
_LEFT, _RIGHT = 84, 826
_INK, _FAINT, _PALE = "#1c2530", "#5b6672", "#d9dee3"
_HELD, _APART, _GONE = "#14586b", "#f0b63f", "#9aa3ad"
_TICKS = 5


@dataclass(frozen=True, slots=True)
class _Panel:
    """One chart: where it stands on the page, and what its scales are."""

    top: float
    bottom: float
    first: date
    last: date
    most: int

    def x(self, day: date) -> float:
        share = (day - self.first).days / max(1, (self.last - self.first).days)
        return _LEFT + share * (_RIGHT - _LEFT)

    def y(self, count: float) -> float:
        return self.bottom - count / self.most * (self.bottom - self.top)


def picture(summary: Summary) -> str:
    """The picture as an SVG document of 1000 by 600 units; it needs no font or file beside it."""
    stands = (Stand(summary.first, 0, 0, 0), *summary.stands)
    held = [stand.held for stand in stands]
    there = [stand.held + stand.separated for stand in stands]
    gone = [stand.destroyed for stand in stands]
    upper = _Panel(132, 372, summary.first, summary.last, _rounded_up(max(there)))
    lower = _Panel(432, 540, summary.first, summary.last, _rounded_up(max(gone)))
    days = [stand.day for stand in stands]
    zero = [0] * len(stands)
    return "\n".join(
        [
            *_head(summary, stands[-1]),
            *_frame(upper, "values there at the end of a month"),
            _area(upper, days, zero, held, _HELD),
            _area(upper, days, held, there, "url(#apart)"),
            _line(upper, days, there, _INK, 1.2),
            *_frame(lower, "values destroyed since the beginning"),
            _area(lower, days, zero, gone, _GONE),
            _line(lower, days, gone, _INK, 1.2),
            *_years(upper, lower),
            *_ends(upper, lower, stands[-1]),
            "</svg>",
            "",
        ]
    )


def keep_summary(summary: Summary, home: Path) -> None:
    """Put the summary and its picture into a home, as `summary.txt` and `picture.svg`."""
    (home / "summary.txt").write_text(summary.text(), encoding="utf-8")
    (home / "picture.svg").write_text(picture(summary), encoding="utf-8")


def _head(summary: Summary, end: Stand) -> Iterator[str]:
    title = f"{summary.policy}, version of {summary.version}: held, kept apart and destroyed"
    under = (
        f"{summary.people:,} made-up people from {summary.first.isoformat()} to {summary.last.isoformat()}, "
        f"swept every night (seed {summary.seed})"
    )
    told = f"At the end {end.held:,} values are held, {end.separated:,} kept apart; {end.destroyed:,} were destroyed."
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        'role="img" aria-labelledby="title told" font-family="Helvetica, Arial, sans-serif" font-size="14">'
    )
    yield f'<title id="title">{escape(title)}</title><desc id="told">{escape(told)}</desc>'
    yield (
        '<defs><pattern id="apart" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<rect width="7" height="7" fill="{_APART}"/><rect width="1.6" height="7" fill="#a86f00"/></pattern></defs>'
    )
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>'
    yield _text(_LEFT, 40, title, size=21, weight="bold")
    yield _text(_LEFT, 64, under, colour=_FAINT)
    yield from _legend()


def _legend() -> Iterator[str]:
    x = float(_LEFT)
    for name, fill, room in (
        ("held for a purpose", _HELD, 170),
        ("kept apart: a law, a debt, a dispute, a promise", "url(#apart)", 360),
        ("destroyed and certified", _GONE, 0),
    ):
        yield f'<rect x="{x:.0f}" y="84" width="16" height="16" fill="{fill}" stroke="{_INK}" stroke-width="0.6"/>'
        yield _text(x + 24, 97, name)
        x += room


def _frame(panel: _Panel, told: str) -> Iterator[str]:
    yield _text(_LEFT, panel.top - 10, told, colour=_FAINT, size=13)
    for count in _ticks(panel.most):
        y = panel.y(count)
        yield f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_RIGHT}" y2="{y:.1f}" stroke="{_PALE}"/>'
        yield _text(_LEFT - 10, y + 5, f"{count:,}", anchor="end", colour=_FAINT)


def _years(upper: _Panel, lower: _Panel) -> Iterator[str]:
    """The first of January of each year across both panels, with the year below; and the axes themselves."""
    for year in range(upper.first.year, upper.last.year + 2):
        day = date(year, 1, 1)
        if upper.first <= day <= upper.last:
            x = upper.x(day)
            for panel in (upper, lower):
                yield (
                    f'<line x1="{x:.1f}" y1="{panel.top}" x2="{x:.1f}" y2="{panel.bottom + 6}" stroke="{_FAINT}" '
                    'stroke-width="0.7" stroke-dasharray="2 3"/>'
                )
            yield _text(x, lower.bottom + 24, str(year), anchor="middle")
            yield _text(x, upper.bottom + 20, str(year), anchor="middle", colour=_FAINT, size=12)
    for panel in (upper, lower):
        yield (
            f'<path d="M{_LEFT} {panel.top}V{panel.bottom}H{_RIGHT}" fill="none" stroke="{_INK}" stroke-width="1.2"/>'
        )
    yield _text((_LEFT + _RIGHT) / 2, lower.bottom + 46, "1 January of the year", anchor="middle", colour=_FAINT)


def _ends(upper: _Panel, lower: _Panel, end: Stand) -> Iterator[str]:
    """What is there at the end, beside the end of each area; pushed apart where they would touch."""
    x = _RIGHT + 12
    apart_y = upper.y(end.held + end.separated / 2)
    held_y = max(upper.y(end.held / 2), apart_y + 20)
    held_y, apart_y = min(held_y, upper.bottom), min(apart_y, upper.bottom - 20)
    yield _text(x, apart_y + 5, f"{end.separated:,} kept apart", weight="bold")
    yield _text(x, held_y + 5, f"{end.held:,} held", weight="bold", colour=_HELD)
    yield _text(x, lower.y(end.destroyed) + 5, f"{end.destroyed:,} destroyed", weight="bold")


def _area(panel: _Panel, days: Sequence[date], low: Sequence[int], high: Sequence[int], fill: str) -> str:
    there = [f"{panel.x(day):.1f} {panel.y(count):.1f}" for day, count in zip(days, high, strict=True)]
    back = [f"{panel.x(day):.1f} {panel.y(count):.1f}" for day, count in zip(days, low, strict=True)]
    return f'<path d="M{"L".join((*there, *reversed(back)))}Z" fill="{fill}"/>'


def _line(panel: _Panel, days: Sequence[date], counts: Sequence[int], colour: str, width: float) -> str:
    points = [f"{panel.x(day):.1f} {panel.y(count):.1f}" for day, count in zip(days, counts, strict=True)]
    return f'<path d="M{"L".join(points)}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", colour: str = _INK, size: int = 14, weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}" '
        f'font-weight="{weight}">{escape(text)}</text>'
    )


def _rounded_up(count: int) -> int:
    """The least round number that is not below a count; at least 5."""
    if count <= _TICKS:
        return _TICKS
    power = 10 ** floor(log10(count))
    return next(int(power * part) for part in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if power * part >= count)


def _ticks(most: int) -> list[int]:
    """Round numbers from nought to the top of an axis."""
    for steps in (5, 4, 3, 2):
        if most % steps == 0 and str(most // steps).rstrip("0") in ("1", "2", "25", "5"):
            return [most // steps * index for index in range(steps + 1)]
    return [0, most]
