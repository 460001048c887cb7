"""From a request to a verb and back: token, duty, rate, body, person, idempotency, problem, log line.

A log line has the operation, the status and codes. Nothing that came in or went out stands in it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import iscoroutinefunction
from time import perf_counter
from typing import Final, cast
from urllib.parse import parse_qsl

import msgspec
import structlog
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from upheld.desk.throttle import Limit, counted, forgiven
from upheld.desk.tokens import LIVES_SECONDS, Caller, caller_of, open_token
from upheld.engine.acts import SubjectId
from upheld.errors import InputRefused, PolicyRefused, StoreFailed, UpheldError
from upheld.keeper import Keeper
from upheld.keeper.applications import Duty
from upheld.store.place import NotClaimed
from upheld.web.api.description import described
from upheld.web.api.once import Reply, key_of, once
from upheld.web.api.problems import Said, problem, unusable
from upheld.web.api.routes import MEASURED, ROWS
from upheld.web.api.row import Again, Awaited, Call, Row, Verb
from upheld.web.api.shapes import Body, Nothing, Problem, Token, TokenRefused
from upheld.web.api.verbs import of_policy
from upheld.web.health import readiness
from upheld.web.measures import Measures
from upheld.web.settings import Settings

LARGEST_BODY: Final = 1024 * 1024
"""Ours: bytes of a body."""
TOKENS = Limit("api-token", 30, 5)
"""Ours: tries for a token by one client id."""
TOKENS_FROM = Limit("api-token-source", 600, 5)
"""Ours: tries for a token from one network address."""
PROBLEM: Final = "application/problem+json"
_ID = re.compile(r"[a-z2-7]{20}")
_KEY = re.compile(r"[\x21-\x7e]{8,200}")
_NUMBERS = frozenset({"limit"})
_NUMBER = re.compile(r"0|[1-9][0-9]{0,9}")
_BEARER = re.compile(r"Bearer ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class _Came:
    """What came in, taken off the wire."""

    request: Request
    body: bytes
    row: Row


_ELSEWHERE: Final[Mapping[int, str]] = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
"""Status → code of what no verb says."""


def create_api(edge: Edge) -> Starlette:
    """The application behind `/v1`."""
    by_path: dict[str, dict[str, Row]] = {}
    for row in ROWS:
        by_path.setdefault(row.path, {})[row.method] = row
    served = [Route(path, edge.endpoint(rows), methods=list(rows)) for path, rows in by_path.items()]
    description = msgspec.json.encode(described(ROWS))

    async def openapi(_: Request) -> Response:
        return Response(description, media_type="application/json")

    extra = [Route("/openapi.json", openapi), Route("/token", edge.token, methods=["POST"])]
    api = Starlette(routes=[*served, *extra], exception_handlers=dict.fromkeys(_ELSEWHERE, edge.nowhere))
    api.router.redirect_slashes = False
    return api


class Edge:
    """What surrounds every verb."""

    def __init__(self, settings: Settings, measures: Measures) -> None:
        self.settings = settings
        self.measures = measures
        self.log = structlog.get_logger("upheld")

    @property
    def keeper(self) -> Keeper:
        """The one door."""
        return self.settings.keeper

    def endpoint(self, rows: Mapping[str, Row]) -> Callable[[Request], Awaitable[Response]]:
        """One path with its methods."""

        async def endpoint(request: Request) -> Response:
            row = rows["GET" if request.method == "HEAD" else request.method]
            came = _Came(request, await request.body() if row.method == "POST" else b"", row)
            if iscoroutinefunction(row.verb):
                return await self._answered_together(came, row.verb)
            return await run_in_threadpool(self._answered, came)

        return endpoint

    async def nowhere(self, request: Request, failure: Exception) -> Response:
        """No such address, no such method, a body that grew too large while it came in."""
        status = getattr(failure, "status_code", 404)
        return _refusal(problem(status, _ELSEWHERE[status]), dict(getattr(failure, "headers", None) or {}))

    # ── verbs ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, came: _Came) -> Response:
        began, caller = perf_counter(), None
        try:
            caller = self._caller(came)
            reply = self._replied(came, caller)
        except Said as refusal:
            return self._said(came, refusal, caller, began)
        return self._told(came, reply, caller, began)

    async def _answered_together(self, came: _Came, verb: Awaited) -> Response:
        """The same for a verb that waits in the loop: who calls is found out in a thread, and none is held then."""
        began, caller = perf_counter(), None
        try:
            caller, call = await run_in_threadpool(self._prepared, came)
            if isinstance(call, Said):
                raise call
            reply = await self._awaited(came.row, verb, call)
        except Said as refusal:
            return self._said(came, refusal, caller, began)
        return self._told(came, reply, caller, began)

    def _prepared(self, came: _Came) -> tuple[Caller, Call | Said]:
        """Who calls, and the call or what is wrong with it. Raises Said where nobody is known to call."""
        caller = self._caller(came)
        try:
            return caller, self._call(came, caller)
        except Said as refusal:
            return caller, refusal

    def _told(self, came: _Came, reply: Reply, caller: Caller, began: float) -> Response:
        response = Response(reply.body, reply.status, media_type="application/json")
        if reply.status >= 400:
            response.headers["Content-Type"] = PROBLEM
        if reply.repeated:
            response.headers["Idempotent-Replayed"] = "true"
        return self._noted(came, response, reply.code, caller, began)

    def _said(self, came: _Came, refusal: Said, caller: Caller | None, began: float) -> Response:
        return self._noted(came, _refusal(refusal.problem, refusal.headers), refusal.problem.code, caller, began)

    def _noted(
        self, came: _Came, response: Response, code: str | None, caller: Caller | None, began: float
    ) -> Response:
        response.headers["Cache-Control"] = "no-store"
        self._note(came, response.status_code, code, caller, perf_counter() - began)
        return response

    def _note(self, came: _Came, status: int, code: str | None, caller: Caller | None, seconds: float) -> None:
        policy = caller.application.policy if caller else ""
        self.measures.answered(policy, came.row.name, status)
        self.log.info(
            "api",
            operation=came.row.name,
            status=status,
            code=code,
            application=caller.application.name if caller else None,
            took_ms=round(seconds * 1000, 1),
        )

    def _caller(self, came: _Came) -> Caller:
        """Who calls, with the duty for it and within the rate. Raises Said."""
        shown = _BEARER.fullmatch(came.request.headers.get("authorization", ""))
        caller = caller_of(self.keeper, shown[1]) if shown else None
        if caller is None:
            raise Said(problem(401, "token-missing"), {"WWW-Authenticate": 'Bearer realm="upheld"'})
        if came.row.duty is not None and came.row.duty not in caller.duties:
            detail = f"this program lacks the duty `{came.row.duty.value}`"
            raise Said(problem(403, "duty-missing", detail))
        if not self.settings.allowance.taken(self.keeper, caller.application):
            raise Said(problem(429, "too-many", "wait a minute"), {"Retry-After": "60"})
        return caller

    def _replied(self, came: _Came, caller: Caller) -> Reply:
        call = self._call(came, caller)

        def work() -> Reply:
            return self._worked(came.row, cast(Verb, came.row.verb), call)

        text = came.request.headers.get("idempotency-key")
        if came.row.again is Again.HARMLESS or text is None:
            return work()
        if not _KEY.fullmatch(text):
            raise Said(problem(400, "key-unusable", "an idempotency key has 8 to 200 visible ASCII characters"))
        what = f"{came.row.name}\0{came.request.url.path}\0".encode() + came.body
        key, row = key_of(self.keeper, caller.application, text, what), came.row
        return once(self.keeper, key, row.again, work, row.about(call))

    def _call(self, came: _Came, caller: Caller) -> Call:
        parts = {name: str(part) for name, part in came.request.path_params.items()}
        if not all(_ID.fullmatch(part) for part in parts.values()):
            raise Said(problem(404, "unknown", "no such id"))
        call = Call(self.keeper, caller, parts, _body(came), _query(came))
        if "subject" in parts:
            try:
                of_policy(call, SubjectId(parts["subject"]))
            except InputRefused as refusal:
                raise Said(unusable(refusal)) from refusal
        return call

    def _worked(self, row: Row, verb: Verb, call: Call) -> Reply:
        """The verb, and what it says no with as a reply, so that it can be remembered under a key."""
        try:
            answer = verb(call)
        except NotClaimed:
            raise  # it is begun again
        except Exception as failure:  # noqa: BLE001 - told as what it means, or as our fault
            return self._refused(row, call, failure)
        return Reply(200, answer if isinstance(answer, bytes) else msgspec.json.encode(answer))

    async def _awaited(self, row: Row, verb: Awaited, call: Call) -> Reply:
        try:
            answer = await verb(call)
        except Exception as failure:  # noqa: BLE001 - told as what it means, or as our fault
            return self._refused(row, call, failure)
        return Reply(200, msgspec.json.encode(answer))

    def _refused(self, row: Row, call: Call, failure: Exception) -> Reply:
        """What a verb says no with, as a reply. Raises Said for what is no answer to it."""
        match failure:
            case Said():
                self.measures.refused(call.policy, (one.reason for one in failure.problem.reasons if one.reason))
                return _as_reply(failure.problem)
            case InputRefused():
                return _as_reply(unusable(failure))
            case PolicyRefused():
                return _as_reply(problem(422, "policy-refused", str(failure)))
            case StoreFailed():
                raise Said(problem(503, failure.reason or "store-failed", str(failure))) from failure
            case UpheldError():
                raise Said(problem(503, "not-now", str(failure))) from failure
            case _:
                self.settings.failed(row.name, failure)
                raise Said(problem(500, "our-fault")) from failure

    # ── how it stands ───────────────────────────────────────────────────────────────────────────────────────────────

    async def measured(self, request: Request) -> Response:
        """Figures of the program's policy, for Prometheus; it gets its token like any other program."""
        return await run_in_threadpool(self._measured, _Came(request, b"", MEASURED))

    def _measured(self, came: _Came) -> Response:
        try:
            caller = self._caller(came)
        except Said as refusal:
            return _refusal(refusal.problem, refusal.headers)
        page = self.measures.page(self.keeper, caller.application.policy)
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    async def alive(self, _: Request) -> Response:
        """The process answers."""
        return Response(b"alive\n", media_type="text/plain")

    async def ready(self, _: Request) -> Response:
        """Whether it can serve: each place by its name."""
        found = await run_in_threadpool(readiness, self.keeper)
        return Response(msgspec.json.encode(found), 200 if all(found.values()) else 503, media_type="application/json")

    # ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def token(self, request: Request) -> Response:
        """OAuth 2 client credentials (RFC 6749, 4.4): by HTTP Basic or in the form."""
        body = await request.body()
        source = request.client.host if request.client else "unknown"
        status, answer = await run_in_threadpool(self._token, request.headers, body, source)
        headers = {"Cache-Control": "no-store"}
        if status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="upheld"'
        elif status == 429:
            headers["Retry-After"] = str(60 * TOKENS.within)
        return Response(msgspec.json.encode(answer), status, headers, "application/json")

    def _token(self, headers: Mapping[str, str], body: bytes, source: str) -> tuple[int, Token | TokenRefused]:
        form = _form(headers, body)
        if form is None or form.get("grant_type") is None:
            return 400, TokenRefused("invalid_request")
        if form["grant_type"] != "client_credentials":
            return 400, TokenRefused("unsupported_grant_type")
        client, secret = _credentials(headers, form)
        known = bool(_ID.fullmatch(client))
        tries = [(TOKENS_FROM, source), *([(TOKENS, client)] if known else [])]
        if not all(counted(self.keeper, "", limit, about) for limit, about in tries):
            return 429, TokenRefused("slow_down")
        application = self.keeper.application_of(client, secret) if known else None
        if application is None:
            return 401, TokenRefused("invalid_client")
        forgiven(self.keeper, "", TOKENS, client)
        wanted = form.get("scope", "").split() or [one.value for one in application.duties]
        if not set(wanted) <= {one.value for one in application.duties}:
            return 400, TokenRefused("invalid_scope")
        token = open_token(self.keeper, application, map(Duty, wanted))
        self.log.info("token", application=application.name)
        return 200, Token(token, "Bearer", LIVES_SECONDS, " ".join(sorted(wanted)))


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _body(came: _Came) -> Body:
    if came.row.takes is Nothing:
        return Nothing()
    kind = came.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Said(problem(415, "json-only"))
    try:
        return msgspec.json.decode(came.body, type=came.row.takes)
    except msgspec.ValidationError as failure:
        raise Said(problem(422, "body-unusable", str(failure))) from failure
    except (msgspec.DecodeError, UnicodeDecodeError) as failure:
        raise Said(problem(400, "body-unreadable")) from failure


def _query(came: _Came) -> Body:
    pairs = came.request.query_params.multi_items()
    if len(dict(pairs)) != len(pairs):
        raise Said(problem(422, "query-unusable", "each parameter once"))
    # Not msgspec's lenient way, which takes a number for an instant and the word null for nothing.
    fields = {name: int(text) if name in _NUMBERS and _NUMBER.fullmatch(text) else text for name, text in pairs}
    try:
        return msgspec.convert(fields, came.row.query)
    except msgspec.ValidationError as failure:
        raise Said(problem(422, "query-unusable", str(failure))) from failure


def _form(headers: Mapping[str, str], body: bytes) -> dict[str, str] | None:
    if headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        return None
    return dict(pairs) if len(dict(pairs)) == len(pairs) else None


def _credentials(headers: Mapping[str, str], form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, coded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return client, secret


def _as_reply(said: Problem) -> Reply:
    return Reply(said.status, msgspec.json.encode(said), code=said.code)


def _refusal(said: Problem, headers: Mapping[str, str]) -> Response:
    return Response(msgspec.json.encode(said), said.status, {**headers, "Cache-Control": "no-store"}, PROBLEM)
