/** What the program starts for a restore, as the states of stacks name it: the process itself is task.ts, made one file. */
import path from "node:path";
import { load } from "../runtime/code-cache.js";

load(path.resolve(__dirname, "../.."), "restore");
