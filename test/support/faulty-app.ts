import assert from "node:assert/strict";
import { ask } from "../e2e/traffic/client.js";

/** What a {@link FAULTY_APP} turns into, by real means. */
export type Fault = "errors" | "slow" | "ill" | "leak";

/** A slow answer's time, milliseconds. */
export const SLOW_MS = 1000;

/**
 * A web server in a container that is well until somebody asks for `/turn/<fault>`: then of what has a query (as what `stream` sends) every
 * twentieth answers 500, or all but the health check takes its time, or that fails, or memory fills to 94 % of the container's limit and
 * stays so. `/status/<code>` answers with that status. Python's standard library only.
 */
export const FAULTY_APP = `
import http.server, itertools, json, os, threading, time
NAME = os.environ["NAME"]
fault = ""
pages = itertools.count(1)
held = []

# Of cgroups version 2, or 1.
GROUP = "/sys/fs/cgroup/" if os.path.exists("/sys/fs/cgroup/memory.max") else "/sys/fs/cgroup/memory/memory."
LIMIT, USED, CACHE = ("memory.max", "memory.current", "inactive_file") if GROUP.endswith("cgroup/") else ("limit_in_bytes", "usage_in_bytes", "total_inactive_file")

def text(name):
    with open(GROUP + name) as file:
        return file.read()

def used():
    # As Docker counts it: without what the kernel can take back.
    stat = dict(line.split() for line in text("memory.stat" if GROUP.endswith("cgroup/") else "stat").splitlines())
    return int(text(USED)) - int(stat[CACHE])

def leak():
    while used() < 0.94 * int(text(LIMIT)):
        held.append(os.urandom(256 * 1024))
        time.sleep(0.005)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *args):
        pass
    def answer(self):
        global fault
        size = int(self.headers.get("Content-Length") or 0)
        if size:
            self.rfile.read(size)
        path = self.path.split("?")[0]
        status = 200
        if path.startswith("/turn/"):
            fault = path[len("/turn/"):]
            if fault == "leak":
                threading.Thread(target=leak, daemon=True).start()
            print("ERROR turned into", fault, flush=True)
        elif path.startswith("/status/"):
            status = int(path[len("/status/"):])
        elif path == "/health":
            status = 500 if fault == "ill" else 200
        elif fault == "errors" and "?" in self.path and next(pages) % 20 == 0:
            status = 500
        elif fault == "slow":
            time.sleep(${SLOW_MS / 1000})
        body = json.dumps({"name": NAME, "path": self.path}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
    do_GET = do_HEAD = do_POST = do_PUT = answer

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 200
    daemon_threads = True
    def handle_error(self, *args):
        # Whoever closes a connection that was kept open is no error of the app.
        pass

Server(("", int(os.environ["PORT"])), Handler).serve_forever()
`;

/** From now on the app is bad; it has one replica. @param tag which must be the one that answers */
export async function turn(url: string, tag: string, fault: Fault): Promise<void> {
  const answer = await ask(`${url}/turn/${fault}`);
  assert.deepEqual([answer.status, answer.by], [200, tag]);
}
