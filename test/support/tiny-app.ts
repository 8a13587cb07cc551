/**
 * A web server in a container that says who it is: `{name, path, headers}` for every request, and websockets that it
 * echoes. With `PARTS=a.js,b.js` it has these alone below `/static/` and answers the rest with its page, as Streamlit does. Slow and failing as it is told: `/tell?health_ms=N` makes its health checks take so long from then on. Python's standard library only, so that any image with Python runs it.
 */
export const TINY_APP = `
import base64, hashlib, http.server, json, os, random, socket, struct, sys, threading, time
NAME = os.environ["NAME"]
# What users get who ask with "?n=": so many of 100 requests fail, and each takes so many milliseconds. The gate is spared.
FAIL, DELAY_MS = float(os.environ.get("FAIL", "0")), float(os.environ.get("DELAY_MS", "0"))
HEALTH_MS = 0
PARTS = os.environ.get("PARTS")

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *args):
        pass
    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        sent = len(self.rfile.read(size)) if size else 0
        if self.headers.get("Upgrade", "").lower() == "websocket" and self.headers.get("Sec-WebSocket-Key"):
            return self.websocket()
        global HEALTH_MS
        if self.path.startswith("/tell?health_ms="):
            HEALTH_MS = float(self.path.split("=")[1])
        if self.path.endswith("/health"):
            time.sleep(HEALTH_MS / 1000)
        if "?n=" in self.path:
            time.sleep(DELAY_MS / 1000)
            if random.random() * 100 < FAIL:
                return self.send_error(500)
        if PARTS is not None and "/static/" in self.path and "/app/static/" not in self.path:
            return self.part(self.path.split("/")[-1])
        headers = {}
        for name, value in self.headers.items():
            headers[name.lower()] = headers[name.lower()] + ", " + value if name.lower() in headers else value
        body = json.dumps({"name": NAME, "path": self.path, "method": self.command, "headers": headers, "received": sent}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    def part(self, name):
        has = name in PARTS.split(",")
        etag = '"' + (name if has else "page") + '"'
        asked = self.headers.get("If-None-Match") == etag
        body = (name + " of " + NAME if has else "<html>page of " + NAME).encode()
        cut = not asked and self.headers.get("Range") == "bytes=0-3"
        self.send_response(304 if asked else 206 if cut else 200)
        self.send_header("Etag", etag)
        self.send_header("Cache-Control", "public, immutable, max-age=31536000" if has else "no-cache")
        if not asked:
            body = body[:4] if cut else body
            self.send_header("Content-Type", "application/javascript" if has else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and not asked:
            self.wfile.write(body)
    do_GET = do_HEAD = do_POST = do_PUT = answer
    def websocket(self):
        accept = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        self.close_connection = True
        self.frame(1, NAME.encode())
        while True:
            head = self.rfile.read(2)
            if len(head) < 2:
                return
            size = head[1] & 127
            if size == 126:
                size = struct.unpack(">H", self.rfile.read(2))[0]
            mask = self.rfile.read(4)
            data = bytes(c ^ mask[i % 4] for i, c in enumerate(self.rfile.read(size)))
            self.frame(head[0] & 15, data)
            if head[0] & 15 == 8:
                return
    def frame(self, kind, data):
        self.wfile.write(bytes([128 | kind, len(data)]) + data)
        self.wfile.flush()

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 200
    daemon_threads = True

Server(("", int(os.environ["PORT"])), Handler).serve_forever()
`;
