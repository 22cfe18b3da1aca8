"""The charts of a report, drawn while it is written: SVG that a page holds and that follows its colours.

The libraries that draw are imported on use, so that a page without charts does not wait for them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from data_cleaning.report_table import Table
from harness.scoring.hits import ALL

if TYPE_CHECKING:
    import altair as alt

_WIDTH, _HEIGHT = 265, 200
"""Of the inside of a chart in pixels: with its labels it fits the width of a phone."""
_COLOURS = [f"var(--c{number})" for number in range(8)]
"""The style sheet of the page has them for light and for dark; from the ninth line on they repeat."""
_DASHES = [[1, 0], [6, 2], [2, 2], [8, 2, 2, 2]]
"""Lines differ in dashes too, for readers who cannot tell colours apart."""
_MAX_CLASSES = 16
_FIT = ["split", "learned_from"]


@dataclass(frozen=True)
class Chart:
    """One chart; its figures are in the table beside it."""

    title: str
    svg: str
    is_main: bool = False
    """Whether it answers the question of the page, and so is shown at its top."""


def charts_of(tables: Sequence[Table]) -> dict[str, list[Chart]]:
    """Draw the tables that charts exist for; return the name of each to its charts."""
    named = {table.name: table for table in tables}
    drawn = {name: draw(named) for name, draw in _DRAWN.items() if name in named and len(named[name].frame)}
    return {name: charts for name, charts in drawn.items() if charts}


def _verdict(named: Mapping[str, Table]) -> list[Chart]:
    """Draw each system with its interval, and its agreement with recorded labels beside the noise ceiling.

    The second chart is left out where recorded labels do not contradict each other, since the ceiling is 1 then.
    """
    frame = _plain(named["verdict"].frame)
    systems = frame[frame["verdict"] != "floor"].assign(standing=lambda rows: rows["verdict"].replace("", "behind"))
    charts = [Chart("All labels right, with 95% intervals", _intervals(systems, None), is_main=True)]
    for name in ("scores_by_title", "scores_by_record"):
        if name not in named:
            continue
        scores = _plain(named[name].frame)
        scores = scores[(scores["reference"] == "legacy") & (scores["weighting"] == "per record")]
        ceiling = float(scores.loc[scores["system"].str.startswith("(noise"), ALL].max())
        best = scores.sort_values(ALL, ascending=False, kind="stable").drop_duplicates("system")
        best = best[best["system"].isin(systems["system"])].assign(standing="behind")
        if ceiling < 1 and len(best):
            by = name.removeprefix("scores_by_")
            svg = _intervals(best, ceiling)
            charts.append(Chart(f"Agreement with recorded labels, split by {by}", svg, is_main=len(charts) == 1))
    return charts


def _intervals(systems: pd.DataFrame, ceiling: float | None) -> str:
    """Draw a dot and its interval per row of `system`, `all`, `low`, `high` and `standing`; and a ceiling."""
    import altair as alt

    ends = [*systems["low"].dropna(), *systems["high"].dropna(), *systems[ALL], *([ceiling] if ceiling else [])]
    margin = max(0.01, (max(ends) - min(ends)) * 0.04)
    domain = [max(0, min(ends) - margin), min(1, max(ends) + margin)]
    scale = alt.Scale(domain=domain, nice=False, zero=False)
    x = alt.X(f"{ALL}:Q", title="share of records", scale=scale, axis=_axis())
    longest = max(map(len, systems["system"]))
    names = alt.Axis(grid=False, ticks=False, domain=False, labelLimit=130, minExtent=min(130, 12 + 7 * longest))
    y = alt.Y("system:N", sort=None, title=None, axis=names)
    colour = alt.Color(
        "standing:N",
        scale=alt.Scale(domain=["use", "level", "behind"], range=["var(--good)", "var(--accent)", "var(--muted)"]),
        legend=None,
    )
    rows = alt.Chart(systems)
    known = alt.Chart(systems.dropna(subset=["low"]))
    layers: list[Any] = [
        known.mark_rule(strokeWidth=3, opacity=0.5).encode(
            x=alt.X("low:Q", scale=scale), x2="high:Q", y=y, color=colour
        ),
        rows.mark_point(filled=True, size=70, opacity=1).encode(x=x, y=y, color=colour),
        rows.mark_text(dy=-9, fontSize=11).encode(x=x, y=y, text=alt.Text(f"{ALL}:Q", format=".3f")),
    ]
    if ceiling is not None:
        line = alt.Chart(pd.DataFrame({"noise ceiling": [ceiling]}))
        at = alt.X("noise ceiling:Q", scale=scale)
        layers.append(line.mark_rule(strokeDash=[4, 3], color="var(--bad)").encode(x=at))
        layers.append(
            line.mark_text(align="right", dx=-4, y=-8, color="var(--bad)", text=f"noise ceiling {ceiling:.3f}").encode(
                x=at
            )
        )
    return _svg(alt.layer(*layers), height=30 * len(systems))


def _reliability(named: Mapping[str, Table]) -> list[Chart]:
    frame = _first_fit(named["reliability"])
    of_all = frame[frame["target"] == ALL]
    svg = _lines(of_all, "confidence", "right", "mean confidence", "share right", diagonal=True)
    return [Chart("Reliability: on the diagonal, confidence is what it says", svg)]


def _risk_coverage(named: Mapping[str, Table]) -> list[Chart]:
    frame = _first_fit(named["risk_coverage"]).drop(columns=_FIT, errors="ignore")
    long = frame.melt("coverage", var_name="system", value_name="accuracy").dropna()
    svg = _lines(long, "coverage", "accuracy", "share of records answered", "share of these right")
    return [Chart("Risk and coverage: the surest answers first", svg)]


def _learning_curve(named: Mapping[str, Table]) -> list[Chart]:
    frame = _plain(named["learning_curve"].frame)
    counted = frame["counted"] if "counted" in frame else pd.Series("reviewed", index=frame.index)
    frame = frame.rename(columns={"reviewed": "titles"})
    of = {"reviewed": "reviewed titles", "leads": "titles of leads"}
    return [
        Chart(
            f"Learning curve: more {of.get(str(name), name)}",
            _lines(rows, "titles", ALL, of.get(str(name), str(name)), "share of records right", bounds=("low", "high")),
        )
        for name, rows in frame.groupby(counted, sort=False)
    ]


def _lines(
    frame: pd.DataFrame,
    across: str,
    up: str,
    across_title: str,
    up_title: str,
    *,
    diagonal: bool = False,
    bounds: tuple[str, str] | None = None,
) -> str:
    """Draw a line per system, with a band between two columns where `bounds` names them."""
    import altair as alt

    systems = list(dict.fromkeys(frame["system"]))
    dashes = [_DASHES[at % len(_DASHES)] for at in range(len(systems))]
    colour = _coloured(systems, symbolType="stroke", symbolSize=300)
    dash = alt.StrokeDash("system:N", sort=None, scale=alt.Scale(domain=systems, range=dashes), legend=colour["legend"])
    x = alt.X(f"{across}:Q", title=across_title, axis=_axis(), scale=alt.Scale(zero=False, nice=False))
    y = alt.Y(f"{up}:Q", title=up_title, axis=_axis(), scale=alt.Scale(zero=False))
    rows = alt.Chart(frame)
    layers: list[Any] = [
        rows.mark_line(strokeWidth=2).encode(x=x, y=y, color=colour, strokeDash=dash),
        rows.mark_point(filled=True, size=18, opacity=1).encode(x=x, y=y, color=colour),
    ]
    if bounds:
        low, high = bounds
        layers.insert(0, rows.mark_area(opacity=0.12).encode(x=x, y=alt.Y(low), y2=high, color=colour))
    if diagonal:
        ends = pd.DataFrame({across: [0.0, 1.0], up: [0.0, 1.0]})
        layers.insert(0, alt.Chart(ends).mark_line(color="var(--muted)", strokeDash=[4, 3]).encode(x=x, y=y))
    return _svg(alt.layer(*layers))


def _costs(named: Mapping[str, Table]) -> list[Chart]:
    import altair as alt

    frame = _first_fit(named["costs"])
    if not {"accuracy", "Pareto front"} <= set(frame.columns):
        return []
    frame = frame[(frame["accuracy"] > 0) & (frame["titles per second"] > 0)]
    front = frame[frame["Pareto front"] == "yes"].sort_values("titles per second")
    speed = alt.Scale(type="log", nice=False, padding=12)
    x = alt.X("titles per second:Q", title="titles per second", scale=speed, axis=_axis(format="~s", grid=False))
    y = alt.Y("accuracy:Q", title="share of records right", scale=alt.Scale(zero=False, padding=12), axis=_axis())
    colour = _coloured(list(dict.fromkeys(frame["system"])), symbolType="circle")
    line = alt.Chart(front).mark_line(color="var(--muted)", strokeDash=[4, 3])
    points = alt.Chart(frame).mark_point(filled=True, size=90, opacity=0.85)
    layers = alt.layer(line.encode(x=x, y=y), points.encode(x=x, y=y, color=colour))
    return [Chart("Accuracy and speed; the line joins the Pareto front", _svg(layers))]


def _confusion(named: Mapping[str, Table]) -> list[Chart]:
    """Draw the answers of the first system, one chart per target, for the classes with most records."""
    frame = _first_fit(named["confusion"], "system")
    return [_one_confusion(str(target), rows) for target, rows in frame.groupby("target", sort=False)]


def _one_confusion(target: str, rows: pd.DataFrame) -> Chart:
    import altair as alt

    by_size = rows.groupby("label")["records"].sum().sort_values(ascending=False, kind="stable")
    classes = list(by_size.index[:_MAX_CLASSES])
    shown = rows[rows["label"].isin(classes) & rows["predicted"].isin(classes)]
    narrow = alt.Axis(labelLimit=95, labelFontSize=10, grid=False, ticks=False, domain=False)
    x = alt.X("predicted:N", sort=classes, title="answer", axis=narrow, scale=alt.Scale(domain=classes))
    y = alt.Y("label:N", sort=classes, title="label", axis=narrow, scale=alt.Scale(domain=classes))
    right = alt.condition("datum.label == datum.predicted", alt.value("var(--good)"), alt.value("var(--bad)"))
    cells = alt.Chart(shown).mark_rect(stroke="var(--line)", strokeWidth=0.5)
    strength = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.15, 1]), legend=None)
    said = [alt.Tooltip(name) for name in ("label", "predicted", "records", "share")]
    size = max(60, min(_WIDTH - 30, 26 * len(classes)))
    svg = _svg(cells.encode(x=x, y=y, color=right, opacity=strength, tooltip=said), width=size, height=size)
    left_out = f", the {_MAX_CLASSES} classes with most records" if len(by_size) > _MAX_CLASSES else ""
    return Chart(f"{target} by {rows['system'].iloc[0]}: shares of each label{left_out}", svg)


_DRAWN: dict[str, Callable[[Mapping[str, Table]], list[Chart]]] = {
    "verdict": _verdict,
    "confusion": _confusion,
    "risk_coverage": _risk_coverage,
    "reliability": _reliability,
    "learning_curve": _learning_curve,
    "costs": _costs,
}
"""Table to what draws it."""


def _plain(frame: Any) -> pd.DataFrame:
    return frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()


def _first_fit(table: Table, *more: str) -> pd.DataFrame:
    """Return the rows that are about the same fit as the first one, which the note of the table names."""
    frame = _plain(table.frame)
    keys = [name for name in (*_FIT, *more) if name in frame]
    return frame[(frame[keys] == frame[keys].iloc[0]).all(axis=1)]


def _coloured(systems: Sequence[str], **symbols: Any) -> "alt.Color":
    """Return the colour of each system, and a legend of them below the chart."""
    import altair as alt

    colours = [_COLOURS[at % len(_COLOURS)] for at in range(len(systems))]
    legend = alt.Legend(title=None, orient="bottom", columns=2, columnPadding=24, labelLimit=120, **symbols)
    return alt.Color("system:N", sort=None, scale=alt.Scale(domain=systems, range=colours), legend=legend)


def _axis(**settings: Any) -> "alt.Axis":
    import altair as alt

    return alt.Axis(**{"tickCount": 5, "format": "~g", **settings})


def _svg(chart: Any, *, width: int = _WIDTH, height: int = _HEIGHT) -> str:
    """Draw a chart; text in it is escaped, and its colours are those of the page."""
    import vl_convert

    drawn = chart.properties(width=width, height=height, background="transparent", padding=4)
    drawn = (
        drawn.configure(font="system-ui, sans-serif")
        .configure_view(stroke="transparent")
        .configure_text(color="currentColor", fontSize=11)
        .configure_legend(labelColor="currentColor", labelFontSize=12)
        .configure_axis(
            labelColor="currentColor",
            titleColor="currentColor",
            gridColor="var(--line)",
            domainColor="var(--line)",
            tickColor="var(--line)",
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=10,
        )
    )
    return str(vl_convert.vegalite_to_svg(drawn.to_dict()))
