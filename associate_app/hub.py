"""Serves the app to browsers: on a store PC for its tablets, or on loopback for the tablet itself.

The only module of the tablet that imports uvicorn and flet-web. The index page is made at start from the installed
Flet, so that it follows its version; nothing is fetched from outside this origin, and a policy header says so.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles
from flet_web import get_package_web_dir  # type: ignore[import-untyped]
from flet_web.fastapi import app as flet_app  # type: ignore[import-untyped]
from flet_web.fastapi import app_manager
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from associate_app.bootstrap import make_tablet
from associate_app.services.enrol import Invitation
from associate_app.settings import APP_VERSION, Settings
from associate_app.ui.language import BROWSER_LANGUAGE, preferred
from associate_app.ui.stage import NetworkSwitch, Stage, open_stage
from associate_app.ui.theme import DARK, FONT_FILES, LIGHT, SEED
from associate_app.ui.words import CATALOGUES, Speaker
from shared.errors import Damaged

SESSION_TIMEOUT_S: Final = 600
"""A tablet that comes back later than this starts afresh; what it recorded is in the database anyway."""
_PAGE: Final = "index.html"
_MANIFEST: Final = "manifest.json"
_SERVED: Final = ("products", "logo")
"""Folders of `assets/` that browsers may read; the rest is nobody's business on the network."""
_ICONS: Final = {
    "favicon.png": "floorside-32.png",
    "icons/apple-touch-icon-192.png": "floorside-192.png",
    "icons/icon-192.png": "floorside-192.png",
    "icons/icon-512.png": "floorside-512.png",
    "icons/icon-maskable-192.png": "floorside-192.png",
    "icons/icon-maskable-512.png": "floorside-512.png",
}

FindPicture = Callable[[str], Path | None]

POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' 'unsafe-eval' blob:",
        "worker-src 'self' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "connect-src 'self' data: blob:",
        "media-src 'self' blob:",
        "font-src 'self' data:",
        "frame-ancestors 'none'",
        "base-uri 'self'",
        "form-action 'none'",
    )
)

# Flutter's picture freezes after a lost socket, so the second socket of a page reloads it. A lost hub is found by the
# socket's close or by a silent heartbeat (a Wi-Fi that went away closes nothing), and covers the screen. The splash
# stays until the first picture has come, because Flet's own first frames wear Flet's colours. The socket's address says
# what the browser prefers: not every browser sends a header with it. Theme and language are as chosen on the screens
# (`ui/browser_memory.py`). A look every 2 s that waits 2.5 s covers the screen within 5 s. A hit of the Scan screen
# buzzes for 30 ms, which nothing else does: the page beeps with it, as most tablets and some browsers cannot buzz.
# There are no radios here: what Flutter calls a radio group is a group (`ui/parts/in_order.py`).
_SCRIPT: Final = """<script>(function(){
 const says=%(gone)s,tongue=(navigator.language||'').slice(0,2);if(tongue in says)document.documentElement.lang=tongue;
 const kept=name=>{try{return JSON.parse(localStorage.getItem('flutter.'+name))}catch{return null}};
 const wear=()=>{document.documentElement.dataset.theme=kept('theme')||'device'};wear();
 addEventListener('DOMContentLoaded',()=>document.fonts?.load('500 22px Inter'));
 const Plain=window.WebSocket;let opened=0,gone=false,cover=null;
 function show(){gone=true;if(cover||!document.body)return;wear();
  cover=document.createElement('div');cover.id='hub-gone';
  cover.setAttribute('role','alert');
  cover.textContent=says[kept('language')]||says[document.documentElement.lang]||says.en;document.body.appendChild(cover);}
 class Watched extends Plain{constructor(u,p){const own=String(u).endsWith('/ws');
  if(own)u+='?languages='+(navigator.languages||[]).join(',');p===undefined?super(u):super(u,p);
  if(own){this.addEventListener('message',()=>setTimeout(()=>document.getElementById('splash')?.remove(),300),{once:true});
   this.addEventListener('open',()=>{if(++opened>1){this.close();location.reload();}});
   this.addEventListener('close',()=>{if(opened)setTimeout(()=>{if(opened<2)show();},1200);});}}}
 window.WebSocket=Watched;
 const buzz=navigator.vibrate?.bind(navigator);let sound;
 navigator.vibrate=ms=>{if(ms===30)beep();return buzz?buzz(ms):false};
 function beep(){try{sound??=new AudioContext();sound.resume();const at=sound.currentTime,tone=sound.createOscillator(),
  loud=sound.createGain();tone.frequency.value=1760;loud.gain.setValueAtTime(.25,at);
  loud.gain.exponentialRampToValueAtTime(.001,at+.12);tone.connect(loud).connect(sound.destination);
  tone.start(at);tone.stop(at+.13);}catch{}}
 const write=Element.prototype.setAttribute;
 Element.prototype.setAttribute=function(n,v){write.call(this,n,n==='role'&&v==='radiogroup'?'group':v)};
 setInterval(()=>{if(!opened)return;fetch('/alive',{cache:'no-store',signal:AbortSignal.timeout(2500)})
  .then(()=>{if(gone)location.reload();},()=>show());},2000);
})();</script>
<style>
 @font-face{font-family:Inter;src:url(assets/fonts/Inter.ttf);font-weight:100 900}
 #loading{display:none!important}
 #splash{position:fixed;inset:0;z-index:9998;display:flex;align-items:center;justify-content:center;pointer-events:none;
  background:%(light)s} #splash img{width:112px;height:112px}
 #hub-gone{position:fixed;inset:0;z-index:9999;display:flex;align-items:center;justify-content:center;text-align:center;
  padding:32px;font:500 22px/1.5 Inter,system-ui,sans-serif;background:%(light)s;color:%(ink)s}
 [data-theme=dark] :is(#splash,#hub-gone){background:%(dark)s;color:%(dark_ink)s}
 @media (prefers-color-scheme: dark){
  :root:not([data-theme=light]) :is(#splash,#hub-gone){background:%(dark)s;color:%(dark_ink)s}}
</style>
"""
_MARK: Final = '<div id="splash"><img src="logo/floorside-256.png" alt="" /></div>'
_LOOK_S: Final = 0.02
_ANCHOR: Final = "<!-- fletAppConfig -->"
_BODY: Final = "<body>"


class PolicyMiddleware:
    """Puts the policy on every response and lets only this origin's own pages open the socket, whose session is told
    what language the browser prefers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or close a foreign page's socket."""
        if scope["type"] == "websocket" and not _is_own_page(Headers(scope=scope)):
            await send({"type": "websocket.close", "code": 4403, "reason": "another site's page"})
            return
        if scope["type"] == "websocket":
            asked = QueryParams(scope["query_string"]).get("languages")
            BROWSER_LANGUAGE.set(preferred(asked or Headers(scope=scope).get("accept-language", "")))

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                _set_policy(MutableHeaders(scope=message))
            await send(message)

        await self._app(scope, receive, send_with_policy)


def _is_own_page(headers: Headers) -> bool:
    origin = headers.get("origin")
    return origin is None or origin.split("://", 1)[-1] == headers.get("host")


def _set_policy(headers: MutableHeaders) -> None:
    headers["Content-Security-Policy"] = POLICY
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = "camera=(self), microphone=(), geolocation=()"
    if "access-control-allow-origin" in headers:
        del headers["access-control-allow-origin"]


def make_index(template: str) -> str:
    """The index page from Flet's own. Raises Damaged when Flet's page has changed beyond recognition."""
    if _ANCHOR not in template or _BODY not in template:
        raise Damaged("The page that comes with the installed Flet is not the one known here. Install flet 1.0.5.")
    script = _SCRIPT % {
        "gone": json.dumps({language: Speaker(language)("app.hub_gone") for language in CATALOGUES}),
        "light": LIGHT["surface"],
        "ink": LIGHT["on_surface"],
        "dark": DARK["surface"],
        "dark_ink": DARK["on_surface"],
    }
    return (
        template.replace(_ANCHOR, script + _ANCHOR).replace(_BODY, _BODY + _MARK).replace("<html>", '<html lang="en">')
    )


def make_web_root(target: Path) -> Path:
    """Fill a folder with what stands in front of Flet's own files: index page and icons."""
    source = Path(get_package_web_dir())
    (target / _PAGE).write_text(make_index((source / _PAGE).read_text("utf-8")), "utf-8")
    manifest = json.loads((source / _MANIFEST).read_text("utf-8"))
    colours = {"theme_color": SEED, "background_color": LIGHT["surface"]}
    (target / _MANIFEST).write_text(json.dumps({**manifest, **colours}), "utf-8")
    _write_fonts(source, target)
    logos = _assets("logo")
    (target / "icons").mkdir()
    for name, logo in _ICONS.items():
        shutil.copyfile(logos / logo, target / name)
    return target


def _write_fonts(source: Path, target: Path) -> None:
    """Put the app's own font among those the page waits for, and leave out those for formulas: nobody sets any here.

    A font that comes after the first picture would leave words measured for another one, cut in the middle.
    """
    name = Path("assets") / "FontManifest.json"
    fonts = [family for family in json.loads((source / name).read_text("utf-8")) if "math" not in family["family"]]
    fonts += [{"family": family, "fonts": [{"asset": path}]} for family, path in FONT_FILES.items()]
    (target / "assets" / "fonts").mkdir(parents=True)
    (target / name).write_text(json.dumps(fonts), "utf-8")
    for path in FONT_FILES.values():
        shutil.copyfile(_assets("fonts") / Path(path).name, target / "assets" / path)


def _assets(folder: str) -> Path:
    return Path(str(files("assets").joinpath(folder)))


def build_hub(run_session: Callable[..., Any], *, find_picture: FindPicture | None = None) -> FastAPI:
    """The ASGI app: the policy, product pictures, a heartbeat, and Flet for everything else."""
    web_root = make_web_root(Path(tempfile.mkdtemp(prefix="floorside-web-")))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await app_manager.start()
        yield
        await app_manager.shutdown()
        shutil.rmtree(web_root, ignore_errors=True)

    hub = FastAPI(lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None)
    hub.add_api_route("/alive", _alive, methods=["GET"], response_class=PlainTextResponse)
    for folder in _SERVED:
        hub.mount(f"/{folder}", StaticFiles(directory=_assets(folder)))
    if find_picture is not None:
        hub.add_api_route("/media/{sha}", _picture_route(find_picture), methods=["GET"], response_class=Response)
    hub.mount(
        "/",
        flet_app(
            run_session,
            no_cdn=True,
            assets_dir=str(web_root),
            app_name="Floorside",
            app_short_name="Floorside",
            app_description="The store floor, with or without a network",
            session_timeout_seconds=SESSION_TIMEOUT_S,
        ),
    )
    hub.add_middleware(GZipMiddleware, minimum_size=1000)
    hub.add_middleware(PolicyMiddleware)
    return hub


def _picture_route(find_picture: FindPicture) -> Callable[[str], Response]:
    """One picture of the shelf; its name is its hash, so a browser may keep it for the shift."""

    def get_picture(sha: str) -> Response:
        found = find_picture(sha)
        if found is None:
            return Response(status_code=404)
        return FileResponse(found, media_type="image/webp", headers={"Cache-Control": "private, max-age=3600"})

    return get_picture


class TabletHub:
    """A tablet served to browsers: enrol it if need be, then `run` until it is stopped."""

    def __init__(self, stage: Stage, find_picture: FindPicture, *, host: str, port: int, **tls: Any) -> None:
        self._stage = stage
        self._hub = build_hub(stage.run_session, find_picture=find_picture)
        self._host, self._port, self._tls = host, port, tls

    @property
    def is_enrolled(self) -> bool:
        """Whether this tablet is connected to a store."""
        return self._stage.is_enrolled

    def enrol(self, code: str, server_address: str, *, name: str) -> None:
        """Connect this tablet with HQ's one-time code. Raises Refused with a sentence."""
        self._stage.engine.enrol(Invitation(server_address, code), name, app=APP_VERSION)

    def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until Ctrl+C or a polite kill; `on_ready` is called once the address answers."""
        server = make_server(self._hub, host=self._host, port=self._port, **self._tls)
        try:
            asyncio.run(_serve(server, on_ready))
        finally:
            self._stage.close()


async def _serve(server: uvicorn.Server, on_ready: Callable[[], None]) -> None:
    serving = asyncio.create_task(server.serve())
    while not server.started and not serving.done():
        await asyncio.sleep(_LOOK_S)
    if server.started:
        await asyncio.to_thread(on_ready)
    await serving


def make_tablet_hub(
    data_dir: Path,
    *,
    host: str,
    port: int,
    may_cut_network: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
) -> TabletHub:
    """The hub of the tablet in a data folder, over TLS with a certificate and its key (PEM). Raises Damaged or
    StorageFull with a sentence."""
    tls = {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)} if certificate and key else {}
    switch = NetworkSwitch()
    settings = Settings(data_dir=data_dir, is_own_folder=True)
    tablet = make_tablet(settings, gate=switch.is_open)
    stage = open_stage(tablet, app=APP_VERSION, switch=switch if may_cut_network else None)
    return TabletHub(stage, tablet.pictures.show, host=host, port=port, **tls)


async def _alive() -> str:
    return "ok"


def make_server(hub: FastAPI, *, host: str, port: int, log_level: str = "warning", **tls: Any) -> uvicorn.Server:
    """The server with the settings the screens need: lost sockets are noticed in seconds, stopping never hangs."""
    config = uvicorn.Config(
        hub,
        host=host,
        port=port,
        log_level=log_level,
        ws_ping_interval=5,
        ws_ping_timeout=5,
        timeout_graceful_shutdown=2,
        **tls,
    )
    return uvicorn.Server(config)
