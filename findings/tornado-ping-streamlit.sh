#!/usr/bin/env bash
# Streamlit 1.40.0 asks tornado for a ping each second and 30 seconds of patience for its answer. It accepts any tornado from 6.0.3 below 7.
# Guess: a browser tab that misses pings for some seconds (a laptop's lid, a busy tab, a bad line) keeps its session.
# Seen, with tornado 6.4.2: it does. With tornado 6.5.2: the same settings, a warning in the log that the patience "cannot be longer"
# than the interval, and the tab is cut after some two seconds (code 1000, "ping timed out"). So an image that is built again from the
# same requirements, without a lock of what they bring, loses sessions that it kept before. Streamlit 1.47.1 and later set other values.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/silent.py" <<'PY'
"""Opens a websocket on a server with Streamlit's own settings, never answers a ping, and tells after how many seconds it is cut."""
import ast, asyncio, base64, os, pathlib, sys, time
import tornado, tornado.web, tornado.websocket

source = pathlib.Path(sys.argv[1], "streamlit/web/server/server.py").read_text()
settings = next(
    ast.literal_eval(node.value)
    for node in ast.walk(ast.parse(source))
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and getattr(getattr(node, "target", None) or node.targets[0], "id", "") == "TORNADO_SETTINGS"
)

class Open(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        pass

async def main():
    app = tornado.web.Application([("/", Open)], **{k: v for k, v in settings.items() if k.startswith("websocket_ping")})
    server = app.listen(0, "127.0.0.1")
    port = next(iter(server._sockets.values())).getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(f"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    began = time.monotonic()
    cut = "open"
    while time.monotonic() - began < 8:
        try:
            frame = await asyncio.wait_for(reader.read(1024), 8 - (time.monotonic() - began))
        except asyncio.TimeoutError:
            break
        if frame == b"" or frame[0] == 0x88:
            cut = "cut"
            break
    print(f"tornado {tornado.version}: ping each {settings['websocket_ping_interval']} s, patience {settings['websocket_ping_timeout']} s; within 8 s: {cut}")

asyncio.run(main())
PY

python3 -m venv "$dir/venv"
pip() { "$dir/venv/bin/pip" --quiet --disable-pip-version-check "$@"; }
pip install --no-deps --target "$dir/streamlit" streamlit==1.40.0
seen=''
for version in 6.4.2 6.5.2; do
  pip install "tornado==$version"
  line=$("$dir/venv/bin/python" "$dir/silent.py" "$dir/streamlit" 2>/dev/null)
  echo "$line"
  seen+="$line"$'\n'
done
expected='tornado 6.4.2: ping each 1 s, patience 30 s; within 8 s: open
tornado 6.5.2: ping each 1 s, patience 30 s; within 8 s: cut
'
[ "$seen" = "$expected" ] || { echo "changed" >&2; exit 1; }
echo "as before"
