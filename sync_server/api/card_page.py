"""`/c/<random>`: a shopper's loyalty card on her own phone. No sign-in, no script, nothing from elsewhere, never kept.

One answer for every address that shows no card, so that nobody learns which ones ever did. The page is light whatever
the phone prefers: a code is read best as black on a bright white. `services/card_pages.py` decides what is shown.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel import negotiate_locale
from babel.dates import format_date
from fastapi import APIRouter, Request, Response

from shared.cards import in_groups
from sync_server.api.access import Hq
from sync_server.services.card_pages import PATH, ShownCard, read_page
from sync_server.services.code_drawing import code_svg

router = APIRouter()


@dataclass(frozen=True, slots=True)
class CardWords:
    """What the page says in one language; `locale` writes its dates."""

    locale: str
    title: str
    greeting: str
    hint: str
    code: str
    number: str
    until: str
    gone: str
    gone_why: str


WORDS: Final[Mapping[str, CardWords]] = {
    "en": CardWords(
        locale="en_GB",
        title="Your loyalty card",
        greeting="Hello {name}",
        hint="Show this code in the shop. It is read best with the screen at full brightness.",
        code="The code of your loyalty card",
        number="Loyalty number",
        until="Valid until {day}",
        gone="There is no card here",
        gone_why="This address shows no card, or shows it no longer. In the shop we are glad to find you by your name, "
        "and to send you a new card.",
    ),
    "de": CardWords(
        locale="de_DE",
        title="Ihre Kundenkarte",
        greeting="Hallo {name}",
        hint="Zeigen Sie diesen Code im Geschäft. Bei voller Helligkeit lässt er sich am besten lesen.",
        code="Der Code Ihrer Kundenkarte",
        number="Kundennummer",
        until="Gültig bis {day}",
        gone="Hier ist keine Karte",
        gone_why="Unter dieser Adresse gibt es keine Karte, oder nicht mehr. Im Geschäft finden wir Sie gern über "
        "Ihren Namen und schicken Ihnen eine neue.",
    ),
}

_STYLE: Final = """
*{box-sizing:border-box;margin:0}
html{color-scheme:light;background:#fff;-webkit-text-size-adjust:100%}
body{min-height:100vh;min-height:100svh;display:flex;flex-direction:column;background:#fff;color:#17211d;
font:16px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
.bar{flex:none;height:8px;background:#1f6f5c}
main{flex:1;display:flex;flex-direction:column;align-items:center;justify-content:center;gap:8px;text-align:center;
padding:20px max(16px,env(safe-area-inset-right)) 24px max(16px,env(safe-area-inset-left))}
.chain{font-size:15px;font-weight:600;color:#1f6f5c;overflow-wrap:anywhere}
h1{font-size:26px;line-height:1.2;font-weight:650;letter-spacing:-.01em;overflow-wrap:anywhere}
.code{--side:min(100vw - 16px,100vh - 280px,560px);width:max(240px,var(--side));line-height:0}
.code svg{display:block;width:100%;height:auto}
.label{font-size:14px;color:#5b6661}
.number{font-size:clamp(17px,6.2vw,26px);line-height:1.3;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.hint{max-width:34ch;margin:10px auto 0;text-wrap:balance;font-size:14px;color:#5b6661}
.gone p{max-width:38ch;margin-top:10px;color:#5b6661}
@media(orientation:landscape) and (max-height:600px){
main{display:grid;grid-template-columns:auto minmax(0,340px);grid-template-rows:1fr auto auto 1fr;gap:14px 36px;
justify-content:center;text-align:left;padding-top:10px;padding-bottom:10px}
.code{--side:min(100vh - 28px,46vw,440px);width:max(200px,var(--side));grid-row:1/5}
header{grid-column:2;grid-row:2}section{grid-column:2;grid-row:3}.hint{margin-left:0}.number{font-size:clamp(16px,3.2vw,26px)}
.gone{display:flex;text-align:center}}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Vary": "Accept-Language",
}
_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1,viewport-fit=cover">
<meta name="color-scheme" content="light"><meta name="theme-color" content="#1F6F5C">
<meta name="robots" content="noindex,nofollow"><meta name="format-detection" content="telephone=no">
<link rel="icon" href="data:,"><style>{style}</style></head>
<body><div class="bar"></div>{body}</body></html>
"""


@router.head(PATH + "{secret}", include_in_schema=False)
@router.get(PATH + "{secret}", include_in_schema=False)
def get_card_page(secret: str, request: Request, hq: Hq) -> Response:
    """The card of an address, or 404 with a plain page. Not `async`: drawing the code would hold up the tablets."""
    shown, language = read_page(hq, secret), language_of(request.headers.get("accept-language", ""))
    page = draw_gone(language) if shown is None else draw_card_page(shown, language)
    headers = {**_HEADERS, "Content-Language": language}
    return Response(page, 404 if shown is None else 200, headers, "text/html; charset=utf-8")


def language_of(accepted: str) -> str:
    """The language of an Accept-Language header that the page speaks; English where it names none of them."""
    ranked = sorted(map(_wish, accepted.split(",")), key=lambda wish: -wish[1])
    wanted = [tag for tag, weight in ranked if tag and weight > 0]
    return negotiate_locale(wanted, list(WORDS), sep="-") or "en"


def _wish(part: str) -> tuple[str, float]:
    tag, _, rest = part.partition(";")
    name, _, weight = rest.strip().partition("=")
    try:
        return tag.strip().lower(), float(weight) if name.strip() == "q" else 1.0
    except ValueError:
        return "", 0.0


def draw_card_page(shown: ShownCard, language: str) -> str:
    """The page with a card."""
    words = WORDS[language]
    title = words.greeting.format(name=shown.given_name) if shown.given_name else words.title
    until = _until(shown.expires_on, words)
    body = (
        f'<main><header><p class="chain">{html.escape(shown.chain_name)}</p><h1>{html.escape(title)}</h1></header>'
        f'<div class="code" role="img" aria-label="{html.escape(words.code)}">{code_svg(shown.text)}</div>'
        f'<section><p class="label">{html.escape(words.number)}</p>'
        f'<p class="number">{html.escape(in_groups(shown.loyalty_id))}</p>{until}'
        f'<p class="hint">{html.escape(words.hint)}</p></section></main>'
    )
    return _page(language, f"{words.title} · {shown.chain_name}", body)


def draw_gone(language: str) -> str:
    """The page of an address without a card."""
    words = WORDS[language]
    gone = f"<div><h1>{html.escape(words.gone)}</h1><p>{html.escape(words.gone_why)}</p></div>"
    return _page(language, words.gone, f'<main class="gone">{gone}</main>')


def _until(expires_on: str | None, words: CardWords) -> str:
    if expires_on is None:
        return ""
    day = format_date(date.fromisoformat(expires_on), "long", locale=words.locale)
    return f'<p class="label">{html.escape(words.until.format(day=day))}</p>'


def _page(language: str, title: str, body: str) -> str:
    return _PAGE.format(language=language, title=html.escape(title), style=_STYLE, body=body)
