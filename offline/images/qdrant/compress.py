"""Compressed answers, as actix' `Compress` gives them, in which Qdrant wraps its whole REST interface.

Seen on 1.19.0: `gzip, compress, deflate, br` is answered with `br`, a snapshot's file as well, chunked and without Content-Length;
`identity`, or no header at all, with the bytes as they are. Of codings of the same weight actix took the one that packs best. Its
`zstd` is left out: nothing here asks for it alone.
"""

import zlib
from collections.abc import Iterable

import brotli
from aiohttp import web
from multidict import CIMultiDict

# Where an answer that is a file has its path.
FILE = "file"
_PIECE = 256 * 1024
_UNTOUCHED = (204, 206, 304)


class _Brotli:
    """In the form of zlib's compressors."""

    def __init__(self):
        self._compressor = brotli.Compressor(quality=3)

    def compress(self, piece: bytes) -> bytes:
        return self._compressor.process(piece)

    def flush(self) -> bytes:
        return self._compressor.finish()


_CODINGS = {
    "br": _Brotli,
    "gzip": lambda: zlib.compressobj(1, wbits=zlib.MAX_WBITS | 16),
    "deflate": lambda: zlib.compressobj(1),
}


def negotiated(header: str | None) -> str:
    """The coding for an Accept-Encoding header: the highest weight, then the order of `_CODINGS`; `identity` for none of these."""
    weights = dict(_weighted(one) for one in (header or "").split(",") if one.strip())
    known = [name for name in (*_CODINGS, "identity") if weights.get(name, 0.0) > 0]
    return max(known, key=lambda name: weights[name], default="identity")


def _weighted(text: str) -> tuple[str, float]:
    name, _, parameters = text.partition(";")
    key, _, value = parameters.partition("=")
    return name.strip().lower(), float(value) if key.strip() == "q" else 1.0


@web.middleware
async def compressed(request: web.Request, handler):
    """Must be the outermost, as errors are compressed too."""
    answer = await handler(request)
    coding = negotiated(request.headers.get("Accept-Encoding"))
    if coding == "identity" or answer.status in _UNTOUCHED or "Content-Encoding" in answer.headers:
        return answer
    if FILE in answer:
        with answer[FILE].open("rb") as file:
            return await _send(request, answer, coding, iter(lambda: file.read(_PIECE), b""))
    return await _send(request, answer, coding, [answer.body]) if answer.body else answer


async def _send(request: web.Request, answer: web.StreamResponse, coding: str, pieces: Iterable[bytes]) -> web.StreamResponse:
    headers = CIMultiDict(answer.headers)
    headers.popall("Content-Length", None)
    headers["Content-Encoding"] = coding
    headers.add("Vary", "accept-encoding")
    sent = web.StreamResponse(status=answer.status, headers=headers)
    await sent.prepare(request)
    compressor = _CODINGS[coding]()
    for piece in pieces:
        await sent.write(compressor.compress(piece))
    await sent.write(compressor.flush())
    await sent.write_eof()
    return sent
