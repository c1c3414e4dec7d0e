"""What is answered to requests for a bundle: an application for any server of ASGI, by starlette.

It answers GET and HEAD from the table of files, and everything else with one line of text.
"""

import asyncio
import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

_PIECE = 2**16  # bytes of an answer that are handed on at a time
_MOST_LINE = 2**13  # bytes of an address
_MOST_HEADERS = 100
_MOST_BYTES = 2**15  # of all headers

_ERRORS = {
    400: "the request is not understood.",
    404: "the bundle has no such file.",
    405: "this server knows GET and HEAD only.",
    413: "this server takes no content.",
    414: "the address is too long.",
    421: "this server does not go by that name; use the address that it printed.",
    431: "the headers are too long or too many.",
    505: "this server knows HTTP/1.1 only.",
}
_ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


def application(served, goes_by, say):
    """The application.

    Args:
        served: `kerasgan.serving.bundle.Bundle`.
        goes_by: function from a Host header to whether the request is meant for this server.
        say: called with a line for every request.
    """

    async def answer_to(scope, receive, send):
        request = Request(scope)
        code = _refused(request, goes_by)
        file = served.files.get(scope["raw_path"].decode("ascii"))
        if code or file is None:
            answer = _error(code or 404)
        else:
            answer = await _file(request, file, served.policy)
        version, target = scope["http_version"], _target(scope)
        say(f'{request.client.host} "{request.method} {target} HTTP/{version}" {answer.status_code}')
        await answer(scope, receive, send)

    return answer_to


def _target(scope):
    return (scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")).decode("ascii")


def _refused(request, goes_by):
    """The status of a request that is not answered otherwise; None of one that is.

    What others could take for another request, or see its end elsewhere (RFC 9112, 3.2, 6.1, 6.3), is not understood;
    h11 has refused more of it.
    """
    hosts, lengths, codings = map(request.headers.getlist, ("host", "content-length", "transfer-encoding"))
    version = request.scope["http_version"]
    checks = {
        505: version not in ("1.0", "1.1"),
        400: len(hosts) != 1 or len(lengths) + len(codings) > 1 or codings and version == "1.0",
        414: len(_target(request.scope)) > _MOST_LINE,
        431: len(request.headers) > _MOST_HEADERS or sum(map(len, sum(request.headers.raw, ()))) > _MOST_BYTES,
        405: request.method not in ("GET", "HEAD"),
        421: not goes_by("".join(hosts)),
        413: codings or any(map(int, lengths)),
    }
    return next((code for code, holds in checks.items() if holds), None)


def _error(code):
    """One line of text, after which the connection is closed: nothing takes content for another request."""
    allow = {"Allow": "GET, HEAD"} if code == 405 else {}
    return PlainTextResponse(f"{code}: {_ERRORS[code]}\n", code, {**_ALWAYS, **allow, "Connection": "close"})


async def _file(request, file, policy):
    headers = {
        **_ALWAYS,
        **({"Vary": "Accept-Encoding"} if file.compressible else {}),
        **({"Connection": "close"} if "content-length" in request.headers else {}),
        "ETag": file.etag,
        "Cache-Control": "no-cache",  # kept, and asked about each time
        "Content-Security-Policy": policy,
    }
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or file.etag.removeprefix("W/") in re.findall(r'"[^"]*"', known):
        return Response(status_code=304, headers=headers)
    packs = file.compressible and _accepts_gzip(request.headers.get("accept-encoding", ""))
    body = await run_in_threadpool(lambda: file.compressed) if packs else file.body
    headers |= {"Content-Length": str(len(body))} | ({} if body is file.body else {"Content-Encoding": "gzip"})
    return StreamingResponse(_pieces(body), headers=headers, media_type=file.type)


async def _pieces(body):
    for start in range(0, len(body), _PIECE):
        yield memoryview(body)[start : start + _PIECE]
        await asyncio.sleep(0)  # others have their turn, and a client that is gone is known to be


def _accepts_gzip(choices):
    """Whether Accept-Encoding admits gzip."""
    for choice in choices.lower().split(","):
        name, _, weight = choice.partition(";")
        if name.strip() in ("gzip", "*"):
            return not re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight)
    return False
