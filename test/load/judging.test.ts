import assert from "node:assert/strict";
import { assetIn, judge } from "./classify.js";
import { CookieJar } from "./cookies.js";
import { parseOptions } from "./options.js";

const PAGE = '<!doctype html><html><head><link href="./static/css/main.1f.css" rel="stylesheet"></head><body><div id="root"></div></body></html>';
const answer = (status: number, body: string, contentType = "text/html; charset=utf-8") => ({ status, contentType, body: Buffer.from(body) });

describe("load: judging answers", () => {
  it("takes the right ones", () => {
    assert.equal(judge("page", answer(200, PAGE)), null);
    assert.equal(judge("asset", answer(200, "a{}", "text/css"), { asset: Buffer.from("a{}") }), null);
    assert.equal(judge("upload", answer(204, "")), null);
    assert.equal(judge("script-health", answer(200, "ok")), null);
  });

  it("fails on each status from 400, and on redirects", () => {
    for (const status of [302, 400, 404, 500, 502, 503]) assert.match(judge("page", answer(status, PAGE)) ?? "", new RegExp(`status ${status}`));
  });

  it("fails on a wrong body", () => {
    assert.match(judge("page", answer(200, "<html>Welcome to nginx</html>")) ?? "", /wrong body.*nginx/);
    assert.match(judge("page", answer(200, PAGE, "application/json")) ?? "", /wrong body/);
    assert.match(judge("asset", answer(200, "b{}", "text/css"), { asset: Buffer.from("a{}") }) ?? "", /unlike/);
    assert.match(judge("asset", answer(200, "", "text/css")) ?? "", /empty/);
    assert.match(judge("asset", answer(200, PAGE)) ?? "", /type/);
    assert.match(judge("script-health", answer(200, "error")) ?? "", /not ok/);
    assert.match(judge("upload", answer(200, "")) ?? "", /upload answered 200/);
  });

  it("finds the hashed asset in old and new Streamlit pages", () => {
    assert.equal(assetIn(Buffer.from(PAGE)), "/static/css/main.1f.css");
    assert.equal(assetIn(Buffer.from('<script type="module" src="./static/js/index.C8.js"></script>')), "/static/js/index.C8.js");
    assert.equal(assetIn(Buffer.from("<html></html>")), null);
  });
});

describe("load: cookies", () => {
  it("keeps, replaces and deletes like a browser", () => {
    const jar = new CookieJar();
    assert.equal(jar.header(), null);
    jar.take(["a=1; Path=/; HttpOnly", "pbjrag_release=v3.0.0-1a2b3c4d~1; Path=/", "broken"]);
    assert.equal(jar.release(), "v3.0.0-1a2b3c4d");
    jar.take(["a=2==; Path=/", "pbjrag_release=gone; Max-Age=0"]);
    assert.equal(jar.header(), "a=2==");
    jar.take(["a=; expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
    assert.equal(jar.header(), null);
    assert.equal(jar.release(), null);
  });
});

describe("load: options", () => {
  const base = ["--url", "http://127.0.0.1:8501", "--out", "result.json"];

  it("has the sizes of the acceptance run as defaults", () => {
    assert.deepEqual(parseOptions([...base, "--until-signal"]), {
      url: "http://127.0.0.1:8501", rate: 100, sessions: 20, reloading: 2, seconds: 3600, out: "result.json", scriptHealth: true,
    });
  });

  it("goes to this machine only", () => {
    for (const url of ["http://localhost:80", "http://10.0.0.1:80", "https://127.0.0.1:80", "http://127.0.0.1:80@10.0.0.1", "http://127.0.0.1:80/x"]) {
      assert.throws(() => parseOptions(["--url", url, "--out", "x", "--seconds", "1"]), /127\.0\.0\.1/, url);
    }
  });

  it("is bounded, and ends by one of two ways", () => {
    assert.throws(() => parseOptions([...base, "--seconds", "999999"]), /whole number from 1 to 3600/);
    assert.throws(() => parseOptions([...base, "--seconds", "1", "--rate", "5000"]), /from 1 to 300/);
    assert.throws(() => parseOptions(base), /either/);
    assert.throws(() => parseOptions([...base, "--seconds", "5", "--until-signal"]), /either/);
  });
});
