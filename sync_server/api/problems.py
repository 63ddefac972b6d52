"""Every refusal of the sync protocol as an RFC 9457 problem document: the one place where errors become replies.

Where several fit, the first of protocol.md's order is answered: routing (404, 405) comes before any route, the token
before the body, the body's size before its sense. Bugs become 500 `internal` without a word of what they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.errors import Problem, StorageFull
from shared.wire.problems import PROBLEMS
from sync_server.services.problems import refuse

MEDIA_TYPE: Final = "application/problem+json"
_CODES: Final = {404: "not_found", 405: "method_not_allowed"}
_CHALLENGE: Final = {401: {"WWW-Authenticate": "Bearer"}}


def problem_document(problem: Problem) -> dict[str, Any]:
    """The document's members: type, title, status, code, detail, retry_after_s if any, and the problem's own."""
    kind = PROBLEMS[problem.code]
    document: dict[str, Any] = {
        "type": f"urn:floorside:problem:{kind.code}",
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
        "detail": problem.detail,
    }
    if problem.retry_after_s is not None:
        document["retry_after_s"] = problem.retry_after_s
    return {**document, **problem.extra}


def problem_reply(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The problem as a reply, with Retry-After and the challenge where they belong."""
    sent = {**_CHALLENGE.get(problem.status, {}), **(headers or {})}
    if problem.retry_after_s is not None:
        sent["Retry-After"] = str(problem.retry_after_s)
    body = json.dumps(problem_document(problem), ensure_ascii=False).encode()
    return Response(body, problem.status, sent, MEDIA_TYPE)


def install_problem_replies(app: FastAPI) -> None:
    """Give every error of every route its problem document."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _routing)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(StorageFull, _storage_full)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _bug)


async def _problem(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return problem_reply(problem)


async def _routing(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    code = _CODES.get(problem.status_code, "malformed_request")
    return problem_reply(refuse(code), problem.headers)


async def _unreadable(_request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestValidationError)
    first = problem.errors()[0]
    return problem_reply(refuse("malformed_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]))


async def _storage_full(_request: Request, problem: Exception) -> Response:
    return problem_reply(refuse("storage_full", str(problem)))


async def _gone(_request: Request, _problem: Exception) -> Response:
    """The sender hung up in the middle of its body; nobody reads this."""
    return Response(status_code=400)


async def _bug(_request: Request, _problem: Exception) -> Response:
    return problem_reply(refuse("internal"))
