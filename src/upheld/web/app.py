"""The application: the route table put behind one edge that parses, limits, checks, answers and hardens.

Page functions are plain functions that run in threads; nothing of a request outlives it, and nothing of a session is
kept in the process.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, assert_never
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.routing import Route as Served
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from upheld.desk.scanning import LARGEST_FILE, MOST_FILES
from upheld.errors import InputRefused, UpheldError
from upheld.web import places, render
from upheld.web.answer import Answer, Cookie, Download, Moved, Printed, Refused, Shown, Static, Taken
from upheld.web.api.edge import LARGEST_BODY, PROBLEM, create_api
from upheld.web.api.edge import Edge as ProgramsEdge
from upheld.web.api.problems import problem
from upheld.web.api.routes import PREFIX
from upheld.web.asked import Asked, wanted_language
from upheld.web.gate import answered
from upheld.web.route import Route, Who
from upheld.web.routes import ROUTES
from upheld.web.settings import Settings
from upheld.web.words import known, say

LARGEST_FORM: Final = 64 * 1024
"""Ours: bytes of a form. A page that takes files has a limit of its own."""
LARGEST_UPLOAD: Final = MOST_FILES * LARGEST_FILE + LARGEST_FORM
"""Bytes of a form with files."""
UPLOAD: Final = "multipart/form-data"
FLOW_SECONDS: Final = 600
"""How long a browser keeps what belongs to a sign-in at a provider."""
_POLICY: Final = (
    "default-src 'none'; style-src 'self'{style}; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""On every answer, beside the content policy."""
_TOKEN = re.compile(r"[0-9a-f]{64}")


def create_app(settings: Settings) -> FastAPI:
    """The service of one home. Other interfaces (an API) mount onto the same application."""
    app = FastAPI(title="Upheld", docs_url=None, redoc_url=None, openapi_url=None)
    table = {route.name: route for route in sorted(ROUTES, key=lambda one: one.method, reverse=True)}  # GET has the say
    edge = Edge(settings, table)
    app.router.routes.extend(Served(route.path, edge.page(route), methods=[route.method]) for route in ROUTES)
    programs = ProgramsEdge(settings, settings.measures)
    app.router.routes.append(Mount(PREFIX, create_api(programs)))
    watched = {"/healthz": programs.alive, "/readyz": programs.ready, "/metrics": programs.measured}
    app.router.routes.extend(Served(path, endpoint, methods=["GET"]) for path, endpoint in watched.items())
    for status in (404, 405, 413):
        app.add_exception_handler(status, edge.not_served)
    sizes = {"largest": LARGEST_FORM, "largest_upload": LARGEST_UPLOAD, "of_programs": LARGEST_BODY}
    app.add_middleware(Limited, **sizes)
    app.add_middleware(Hardened, secure=settings.secure)
    if settings.secure and settings.trusted_proxy:
        app.add_middleware(OverTls, address=settings.address)
    return app


class Edge:
    """From a request to what was asked, and from an answer to a response."""

    def __init__(self, settings: Settings, table: Mapping[str, Route]) -> None:
        self.settings = settings
        self.table = table

    def page(self, route: Route) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a row of the table."""

        async def endpoint(request: Request) -> Response:
            came = (
                await _form(request, files=route.takes_files, anywhere=route.of_other_sites)
                if route.method == "POST"
                else ({}, {})
            )
            if came is None:
                return await run_in_threadpool(self._explained, self._asked(request, route, {}), 400, "form-unreadable")
            form, uploads = came
            return await run_in_threadpool(self._served, self._asked(request, route, form, uploads))

        return endpoint

    async def not_served(self, request: Request, failure: Exception) -> Response:
        """No such page, no such method, too much sent."""
        status = getattr(failure, "status_code", 404)
        if _of_programs(request.scope):  # a line break in an address keeps it from the part of the programs
            return _problem(status, "not-found")
        asked = self._asked(request, Route("error", "GET", "/", Who.ANYBODY, lambda _: Shown("error")), {})
        code = {405: "method-not-allowed", 413: "too-large"}.get(status, "not-found")
        return await run_in_threadpool(self._explained, asked, status, code)

    def _asked(
        self,
        request: Request,
        route: Route,
        form: Mapping[str, tuple[str, ...]],
        uploads: Mapping[str, tuple[bytes, ...]] = MappingProxyType({}),
    ) -> Asked:
        cookies = request.cookies
        visitor = cookies.get(self._visitor_cookie(), "")
        parts = {name: str(part) for name, part in request.path_params.items()}
        return Asked(
            settings=self.settings,
            table=self.table,
            route=route,
            path=request.url.path,
            parts=parts,
            query=dict(request.query_params),
            form=form,
            cookies=cookies,
            source=self._source(request),
            locale=wanted_language(
                request.query_params, cookies, request.headers.get("accept-language", ""), self._binding(parts)
            ),
            visitor=visitor if _TOKEN.fullmatch(visitor) else self.settings.keeper.places.random_bytes(32).hex(),
            policy=parts.get("policy", ""),
            uploads=uploads,
            came_from=_came_from(request),
        )

    def _binding(self, parts: Mapping[str, str]) -> str:
        """The language that binds: of the policy that the page is about, else of the first one on file."""
        lines = self.settings.keeper.views.lines
        line = lines.get(parts.get("policy", "")) or next(iter(lines.values()), None)
        return next(iter(line.latest.controller), "en") if line else "en"

    def _visitor_cookie(self) -> str:
        return "__Host-upheld-visitor" if self.settings.secure else "upheld-visitor"

    def _source(self, request: Request) -> str:
        forwarded = request.headers.get("x-forwarded-for", "") if self.settings.trusted_proxy else ""
        return forwarded.rpartition(",")[2].strip() or (request.client.host if request.client else "unknown")

    def _served(self, asked: Asked) -> Response:
        try:
            return self._response(asked, answered(asked))
        except Refused as refusal:
            return self._explained(asked, refusal.status, refusal.code)
        except InputRefused as refusal:
            code = f"refused.{refusal.code}"
            said = say(code, asked.locale) if known(code) else refusal.message
            return self._explained(asked, 400, code if known(f"error.{code}") else "refused", said)
        except UpheldError as failure:
            return self._explained(asked, 503, "store-failed", str(failure))
        except Exception as failure:  # noqa: BLE001 - the outermost layer: shown as a page, told to the log
            self.settings.failed(asked.route.name, failure)
            return self._explained(asked, 500, "our-fault")

    def _explained(self, asked: Asked, status: int, code: str, detail: str = "") -> Response:
        """An error page that says what happened and what helps. It stands on its own: no policy, nobody signed in."""
        if asked.policy and asked.policy not in asked.keeper.views.lines:
            asked.policy = ""
        shown = Shown("error", {"code": code, "status": status, "detail": detail}, status)
        return self._response(asked, shown)

    def _response(self, asked: Asked, answer: Answer) -> Response:
        match answer:
            case Shown():
                made = _html(render.page(asked, answer), answer.status)
                cookies = (*answer.cookies, *places.list_kept(asked))
            case Moved():
                task = BackgroundTask(answer.afterwards) if answer.afterwards else None
                made, cookies = RedirectResponse(answer.to, 303, background=task), answer.cookies
            case Printed():
                made, cookies = _html(_barred(asked, answer.html), 200, answer.html), ()
            case Download():
                name = re.sub(r"[^\w.-]", "-", answer.name)
                made = Response(answer.content, media_type=answer.media_type)
                made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
                cookies = ()
            case Static():
                made = Response(answer.content, media_type=answer.media_type)
                made.headers["Cache-Control"] = "public, max-age=3600"
                if answer.anywhere:
                    made.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                return made
            case Taken():
                made, cookies = Response(status_code=200), ()
            case _:
                assert_never(answer)
        made.headers["Cache-Control"] = "no-store"
        self._keep(asked, made, cookies)
        return made

    def _keep(self, asked: Asked, made: Response, cookies: Iterable[Cookie]) -> None:
        secure = self.settings.secure
        if asked.has_form and asked.cookies.get(self._visitor_cookie()) != asked.visitor:
            made.set_cookie(self._visitor_cookie(), asked.visitor, secure=secure, httponly=True, samesite="strict")
        if "locale" in asked.query and asked.query["locale"] == asked.locale:
            made.set_cookie("upheld-locale", asked.locale, 31_536_000, secure=secure, httponly=True, samesite="lax")
        for one in cookies:
            same_site: Literal["lax", "strict"] = "lax" if one.from_elsewhere else "strict"
            if one.value:
                lives = FLOW_SECONDS if one.from_elsewhere else None
                made.set_cookie(one.name, one.value, lives, secure=secure, httponly=True, samesite=same_site)
            else:
                made.delete_cookie(one.name, secure=secure, httponly=True, samesite=same_site)


def _came_from(request: Request) -> str:
    """Path and query of the page that led here, if it is one of this host."""
    came = urlsplit(request.headers.get("referer", "")[:2000])
    ours = came.netloc == request.headers.get("host") and came.path.startswith("/") and not came.path.startswith("//")
    return f"{came.path}?{came.query}" if ours and came.query else came.path if ours else ""


def _html(text: str, status: int, styled: str = "") -> Response:
    """A page; the one style block of a printed document is allowed by its own digest, nothing else inline is."""
    made = Response(text, status, media_type="text/html")
    styles = re.findall(r"<style>(.*?)</style>", styled, re.S)
    allowed = "".join(f" 'sha256-{_digest(style)}'" for style in styles)
    made.headers["Content-Security-Policy"] = _POLICY.format(style=allowed)
    return made


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _barred(asked: Asked, document: str) -> str:
    """A printed document with the bar of the site above it: where one is, the other language, the way back."""
    bar = render.page(asked, Shown("_bar"))
    linked = '<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/bar.css"></head>'
    barred = document.replace("</head>", linked, 1)
    if "<main" in document:
        return barred.replace("<body>", f"<body>\n{bar}", 1)
    return barred.replace("<body>", f"<body>\n{bar}<main>", 1).replace("</body>", "</main></body>", 1)


Fields = dict[str, tuple[str, ...]]
Uploads = dict[str, tuple[bytes, ...]]


async def _form(request: Request, *, files: bool, anywhere: bool = False) -> tuple[Fields, Uploads] | None:
    """The fields and files of a form; None for anything else, for text that is none, for files where none belong."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if not anywhere and request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return None
    if kind == UPLOAD and files:
        return await _with_files(request)
    if kind != "application/x-www-form-urlencoded":
        return None
    try:
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True, errors="strict", max_num_fields=200)
    except ValueError:
        return None
    fields: Fields = {}
    for name, text in pairs:
        fields[name] = (*fields.get(name, ()), text)
    return fields, {}


class _InMemory(MultiPartParser):
    """Never lays a file on a disk: what comes in is in the clear until it is a paper."""

    spool_max_size = LARGEST_UPLOAD


async def _with_files(request: Request) -> tuple[Fields, Uploads] | None:
    """A form with files. A file field that was left empty is none."""
    fields: Fields = {}
    uploads: Uploads = {}
    try:
        parser = _InMemory(
            request.headers, request.stream(), max_files=MOST_FILES, max_fields=200, max_part_size=LARGEST_FORM
        )
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError):
        return None
    try:
        for name, part in form.multi_items():
            if isinstance(part, UploadFile):
                content = await part.read(LARGEST_FILE + 1)
                uploads |= {name: (*uploads.get(name, ()), content)} if content or part.filename else {}
            else:
                fields[name] = (*fields.get(name, ()), part)
    finally:
        await form.close()
    return fields, uploads


class Limited:
    """Refuses a body that is too large, whatever it says of its length."""

    def __init__(self, app: ASGIApp, largest: int, largest_upload: int, of_programs: int) -> None:
        self.app = app
        self.largest = largest
        self.largest_upload = largest_upload
        self.of_programs = of_programs

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        said = headers.get(b"content-length", b"0")
        most = self._most(scope, headers.get(b"content-type", b""))
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise HTTPException(413)
            return message

        if not said.isdigit() or int(said) > most:
            await _too_large(scope, receive, send)
            return
        await self.app(scope, counted, send)

    def _most(self, scope: Scope, kind: bytes) -> int:
        if _of_programs(scope):
            return self.of_programs
        return self.largest_upload if kind.startswith(UPLOAD.encode()) else self.largest


def _of_programs(scope: Scope) -> bool:
    return str(scope["path"]).startswith(f"{PREFIX}/")


def _problem(status: int, code: str) -> Response:
    return Response(msgspec.json.encode(problem(status, code)), status, media_type=PROBLEM)


async def _too_large(scope: Scope, receive: Receive, send: Send) -> None:
    if _of_programs(scope):
        await _problem(413, "too-large")(scope, receive, send)
        return
    text = "Too much was sent at once. 한 번에 보낼 수 있는 크기를 넘었습니다.\n"
    await Response(text, 413, media_type="text/plain")(scope, receive, send)


class Hardened:
    """Puts the security headers on every answer, errors and static files too."""

    def __init__(self, app: ASGIApp, secure: bool) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), text.encode()) for name, text in HEADERS.items()]
        if secure:
            self.headers.append((b"strict-transport-security", b"max-age=31536000"))
        self.fallback = (b"content-security-policy", _POLICY.format(style="").encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add what is not there yet."""

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                there = {name for name, _ in message["headers"]}
                more = [one for one in (*self.headers, self.fallback) if one[0] not in there]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self.app(scope, receive, hardened if scope["type"] == "http" else send)


class OverTls:
    """Behind a proxy of ours: who came to it in the clear is sent to the https address; nothing else is answered."""

    def __init__(self, app: ASGIApp, address: str) -> None:
        self.app = app
        self.address = address.rstrip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at what the proxy says of how they came."""
        came = dict(scope["headers"]) if scope["type"] == "http" else {}
        if came.get(b"x-forwarded-proto", b"https").strip().lower() == b"https":
            await self.app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await RedirectResponse(self.address + quote(str(scope["path"])), 308)(scope, receive, send)
        else:
            await Response("Come by https. https로 접속해 주십시오.\n", 400, media_type="text/plain")(
                scope, receive, send
            )
