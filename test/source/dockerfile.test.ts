import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dockerfileNotices } from "../../components/source/dockerfile.js";
import { ROOT } from "../support/project.js";

const notices = (...lines: string[]): string[] => dockerfileNotices(lines.join("\n"), "Dockerfile", "v3.0.0");

describe("source/dockerfile", () => {
  it("tells that sources are copied before packages are installed, and where", () => {
    const [notice = "", ...others] = notices("FROM python:3.11-slim", "WORKDIR /app", "# all of it", "COPY . .", "RUN apt-get update \\", "    # tools", "    && pip install --no-cache-dir -r requirements.txt");
    assert.match(notice, /^the build of v3\.0\.0 installs its packages anew, .* Dockerfile copies sources \(line 4: COPY \. \.\) before "pip install" \(line 5\)/);
    assert.deepEqual(others, []);
    for (const copy of ["COPY webui/ ./webui/", 'COPY ["src", "/app/src"]', "ADD --chown=1000 pyproject.toml src /app/", "copy app.py ."]) {
      assert.equal(notices("FROM a", copy, "RUN pip install x").length, 1, copy);
    }
  });

  it("has nothing to tell where only what names packages comes first, or another stage copied", () => {
    for (const copy of ["COPY requirements.txt .", "COPY requirements.lock pyproject.toml ./", "COPY --from=build /app /app", "COPY package.json package-lock.json ./", "COPY deploy/requirements-prod.txt /tmp/"]) {
      assert.deepEqual(notices("FROM a", copy, "RUN pip install -r x", "COPY . ."), [], copy);
    }
    assert.deepEqual(notices("FROM a AS build", "COPY . .", "FROM b", "RUN pip install x"), []);
    assert.deepEqual(notices("FROM a", "COPY . .", "RUN mkdir -p /app/uploads"), []);
    assert.deepEqual(dockerfileNotices(readFileSync(join(ROOT, "offline/sample-app/base/Dockerfile"), "utf8"), "Dockerfile", "v2.9.0"), []);
  });

  it("tells what the classic builder refuses", () => {
    for (const line of ["RUN --mount=type=cache,target=/root/.cache true", "COPY --chmod=644 a b", "COPY --link a b", "RUN <<EOF", "run --network=none true"]) {
      assert.match(notices("FROM a", line).at(-1) ?? "", /needs BuildKit.*line 2/, line);
    }
    assert.deepEqual(notices("FROM a", "RUN echo --mounts", "COPY --chown=1:1 a b", "COPY --from=x a b"), []);
  });
});
