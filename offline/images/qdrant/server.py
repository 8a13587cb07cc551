"""A Qdrant server over Qdrant's own engine (`qdrant-edge-py`): HTTP, the API key, health, start and stop.

It stands in for the official image where no registry can be reached. Settings are the official ones' environment variables.
"""

import asyncio
import concurrent.futures
import hmac
import os
import time
from importlib.metadata import version as package_version
from pathlib import Path

import orjson
from aiohttp import web

from compress import FILE, compressed
from errors import ApiError, bad_format, from_engine
from routes import MAY_GO_ON, TABLE, Call
from snapshots import Snapshots
from storage import Storage
from upload import upload_snapshot

VERSION = os.environ.get("PBJRAG_QDRANT_VERSION", "1.19.0")
# Read in 1.19.0: CORS is on, so every answer varies by it.
VARY = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
OPEN_PATHS = {"/", "/healthz", "/livez", "/readyz"}
MAX_BODY = 32 * 1024 * 1024
STATE = web.AppKey("state", "Server")


class Server:
    """The storage, and the threads that work on it."""

    def __init__(self):
        self.storage = Storage(Path(os.environ.get("QDRANT__STORAGE__STORAGE_PATH", "/qdrant/storage")))
        root = Path(os.environ.get("QDRANT__STORAGE__SNAPSHOTS_PATH", "/qdrant/snapshots"))
        self.snapshots = Snapshots(root, self.storage)
        self._threads = concurrent.futures.ThreadPoolExecutor(16)
        self._going_on: set[asyncio.Future] = set()

    async def run(self, work, *args):
        """In a thread. It goes on when the client gives up, as it does in Qdrant."""
        future = asyncio.get_running_loop().run_in_executor(self._threads, guarded, work, *args)
        self._going_on.add(future)
        future.add_done_callback(self._going_on.discard)
        return await asyncio.shield(future)

    def start(self, work, *args) -> None:
        task = asyncio.ensure_future(self.run(work, *args))
        task.add_done_callback(lambda done: done.exception() and print(f"ERROR {done.exception()}", flush=True))

    def close(self) -> None:
        self.storage.close()


def guarded(work, *args):
    """Runs `work`; whatever it raises, the engine's panics included, becomes an answer."""
    try:
        return work(*args)
    except ApiError:
        raise
    except Exception as error:
        raise from_engine(error) from error
    except BaseException as panic:
        raise ApiError(500, f"Service internal error: {panic}") from panic


def answer(result, started: float, status: int = 200) -> web.Response:
    body = {"result": result, "status": "ok", "time": time.monotonic() - started}
    if status == 202:
        body = {"status": "accepted", "time": body["time"]}
    return web.Response(body=orjson.dumps(body), status=status, content_type="application/json")


def make_handler(method: str, path: str, work):
    async def handle(request: web.Request) -> web.Response:
        started, server = time.monotonic(), request.app[STATE]
        raw = await request.read()

        def respond() -> web.Response:
            try:
                body = orjson.loads(raw) if raw else {}
            except orjson.JSONDecodeError as error:
                raise bad_format(str(error)) from error
            call = Call(server.storage, server.snapshots, dict(request.match_info), dict(request.query), body or {})
            return answer(work(call), started)

        if (method, path) in MAY_GO_ON and request.query.get("wait") == "false":
            server.start(respond)
            return answer(None, started, 202)
        return await server.run(respond)

    return handle


@web.middleware
async def checked(request: web.Request, handler):
    """The API key first; then errors in Qdrant's form, and none for a path or method that it does not know."""
    started, key = time.monotonic(), os.environ.get("QDRANT__SERVICE__API_KEY")
    if key and request.path not in OPEN_PATHS:
        given = request.headers.get("api-key") or request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not given:
            return web.Response(body=b"Must provide an API key or an Authorization bearer token", status=401)
        if not hmac.compare_digest(given.encode(), key.encode()):
            return web.Response(body=b"Invalid API key or JWT", status=401)
    try:
        return await handler(request)
    except ApiError as error:
        # What actix refuses before Qdrant sees it is text.
        if error.status == 415 or request.match_info.route.handler is download:
            return web.Response(text=error.message, status=error.status)
        body = {"status": {"error": error.message}, "time": time.monotonic() - started}
        return web.Response(body=orjson.dumps(body), status=error.status, content_type="application/json", headers=error.headers)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        return web.Response(status=404)


async def varying(_request, response: web.StreamResponse) -> None:
    response.headers.add("Vary", VARY)


async def root(_request) -> web.Response:
    commit = f"stand-in-qdrant-edge-{package_version('qdrant-edge-py')}"
    body = orjson.dumps({"title": "qdrant - vector search engine", "version": VERSION, "commit": commit})
    return web.Response(body=body, content_type="application/json")


async def healthy(request) -> web.Response:
    return web.Response(text="all shards are ready" if request.path == "/readyz" else "healthz check passed")


async def metrics(request) -> web.Response:
    storage = request.app[STATE].storage
    lines = [f'app_info{{name="qdrant",version="{VERSION}"}} 1', f"collections_total {len(storage.names())}"]
    return web.Response(text="".join(f"{line}\n" for line in lines))


async def telemetry(request) -> web.Response:
    names = request.app[STATE].storage.names()
    result = {"app": {"name": "qdrant", "version": VERSION}, "collections": {"number_of_collections": len(names)}}
    return answer(result, time.monotonic())


async def download(request) -> web.StreamResponse:
    server = request.app[STATE]
    name, file = request.match_info["name"], request.match_info["file"]
    path = await server.run(server.snapshots.find, name, file)
    sent = web.FileResponse(path)
    sent[FILE] = path
    sent.headers["Content-Disposition"] = f'attachment; filename="{path.name}"'
    return sent


async def upload(request) -> web.Response:
    started, server = time.monotonic(), request.app[STATE]
    path = await upload_snapshot(request, server.snapshots)
    work = (server.snapshots.restore, request.match_info["name"], path, request.query.get("checksum"))
    if request.query.get("wait") == "false":
        server.start(*work)
        return answer(None, started, 202)
    return answer(await server.run(*work), started)


def make_app() -> web.Application:
    app = web.Application(middlewares=[compressed, checked], client_max_size=MAX_BODY)
    app[STATE] = Server()
    app.on_response_prepare.append(varying)
    app.router.add_get("/", root)
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path, healthy)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/telemetry", telemetry)
    app.router.add_post("/collections/{name}/snapshots/upload", upload)
    app.router.add_get("/collections/{name}/snapshots/{file}", download)
    for method, path, work in TABLE:
        app.router.add_route(method, path, make_handler(method, path, work))

    async def close(_app):
        app[STATE].close()

    app.on_cleanup.append(close)
    return app


def main() -> None:
    port = int(os.environ.get("QDRANT__SERVICE__HTTP_PORT", "6333"))
    print(f"Qdrant {VERSION} (stand-in over qdrant-edge-py {package_version('qdrant-edge-py')})", flush=True)
    web.run_app(make_app(), host="0.0.0.0", port=port, access_log=None, shutdown_timeout=0.3,
                print=lambda *_: print(f"Qdrant HTTP listening on {port}", flush=True))


if __name__ == "__main__":
    main()
