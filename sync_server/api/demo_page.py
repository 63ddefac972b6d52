"""`/demo/cards`: the printable sheet of a demo chain's QR cards. A chain that is no demo has no such page."""

from __future__ import annotations

import html

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from sync_server.api.access import Hq
from sync_server.services.code_drawing import code_svg
from sync_server.services.demo_sheet import DemoSheet, SheetCard, read_sheet
from sync_server.services.problems import refuse

router = APIRouter()

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Floorside demo: cards to scan</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>
:root{{--ink:#17211d;--quiet:#5b6661;--line:#dfe5e1;--brand:#1F6F5C;--paper:#fff}}
@media(prefers-color-scheme:dark){{:root{{--ink:#e8edea;--quiet:#9aa6a0;--line:#2c3632;--paper:#101513}}}}
*{{box-sizing:border-box}}body{{margin:0;padding:40px;font:16px/1.45 system-ui,sans-serif;color:var(--ink);
background:var(--paper)}}main{{max-width:1040px;margin:auto}}h1{{font-size:28px;margin:0 0 4px}}
h2{{font-size:14px;letter-spacing:.06em;text-transform:uppercase;color:var(--brand);margin:36px 0 12px}}
p{{margin:0;color:var(--quiet)}}ul{{list-style:none;margin:0;padding:0;display:grid;gap:16px;
grid-template-columns:repeat(auto-fill,minmax(300px,1fr))}}li{{display:flex;gap:16px;align-items:center;padding:16px;
border:1px solid var(--line);border-radius:16px;break-inside:avoid}}.qr{{flex:none;width:132px;
background:#fff;border-radius:8px;line-height:0}}.qr svg{{width:100%;height:auto}}b{{display:block;font-size:18px}}
small{{display:block;color:var(--quiet);font-size:14px;margin-top:4px}}
@media print{{body{{padding:0;background:#fff;color:#000}}}}</style></head>
<body><main><h1>Cards to scan</h1><p>{place}. Hold one in front of the tablet's camera, print the page, or show it on a
phone.</p><h2>Shoppers</h2><ul>{shoppers}</ul><h2>Codes that are told apart</h2><ul>{others}</ul>
<h2>Who works here</h2><ul>{people}</ul></main></body></html>"""


@router.get("/demo/cards", include_in_schema=False)
async def get_sheet(hq: Hq) -> HTMLResponse:
    """The sheet as a page that prints well. Raises Problem: 404 not_found."""
    sheet = read_sheet(hq)
    if sheet is None:
        raise refuse("not_found")
    return HTMLResponse(draw_sheet(sheet))


def draw_sheet(sheet: DemoSheet) -> str:
    """The page."""
    shoppers = [card for card in sheet.cards if card.loyalty_id]
    others = [card for card in sheet.cards if not card.loyalty_id]
    people = (
        f"<li><div><b>{html.escape(one['name'])}</b><small>{html.escape(one['role'])}, PIN {html.escape(one['pin'])}"
        "</small></div></li>"
        for one in sheet.people
    )
    return _PAGE.format(
        place=html.escape(sheet.store_name),
        shoppers="".join(map(_card, shoppers)),
        others="".join(map(_card, others)),
        people="".join(people),
    )


def _card(card: SheetCard) -> str:
    return (
        f'<li><div class="qr">{code_svg(card.text)}</div><div><b>{html.escape(card.name)}</b>'
        f"<small>{html.escape(card.say)}</small></div></li>"
    )
