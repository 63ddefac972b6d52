"""The chart of a week on Store today: used and bought on each day, and the same in words.

Apart from the other parts, and imported when it is drawn: the charts' package loads slower than all the screens.
"""

from __future__ import annotations

from typing import Final

import flet as ft
import flet_charts as fc

from associate_app.ui import theme
from associate_app.ui.faces import DayBar
from associate_app.ui.parts.text import say
from associate_app.ui.theme import Ink

_CHART_HEIGHT: Final = 180


def week_chart(days: tuple[DayBar, ...], told: str) -> ft.Control:
    """Used and bought on each day; `told` says the same in words."""
    most = max((day.used for day in days), default=0)
    groups = [
        fc.BarChartGroup(x=place, rods=[_rod(day.used, ft.Colors.INVERSE_PRIMARY), _rod(day.bought, ft.Colors.PRIMARY)])
        for place, day in enumerate(days)
    ]
    labels = [
        fc.ChartAxisLabel(value=place, label=say(day.label, theme.TINY, Ink.QUIET)) for place, day in enumerate(days)
    ]
    chart = fc.BarChart(
        groups=groups,
        max_y=max(1, most),
        interactive=False,
        bottom_axis=fc.ChartAxis(labels=labels, label_size=28),
        left_axis=fc.ChartAxis(label_size=40, label_spacing=max(1, -(-most // 4))),
        height=_CHART_HEIGHT,
    )
    return ft.Semantics(label=told, container=True, exclude_semantics=True, content=chart)


def _rod(n: int, colour: str) -> fc.BarChartRod:
    return fc.BarChartRod(to_y=n, width=14, color=colour, border_radius=3)
