// Starts the real service on a free port, in a data folder of its own.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** The project's root folder. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const program =
  process.env.REPLYSCOPE_BIN ?? path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug/replyscope");

const START_LIMIT_MS = 30_000;
const STOP_LIMIT_MS = 30_000;

/** Starts the service; resolves with its address once it listens. */
export async function startService() {
  const data = await mkdtemp(path.join(tmpdir(), "replyscope-browser-"));
  const child = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data", data], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  const origin = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the service did not say where it listens:\n${log}`));
    }, START_LIMIT_MS);
    const read = (chunk) => {
      log += chunk;
      const found = log.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (found) {
        clearTimeout(timer);
        resolve(found[0]);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the service ended with code ${code}:\n${log}`)));
  });
  return {
    origin,
    /** Ends it as a supervisor does; resolves with its exit code. */
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_LIMIT_MS);
      child.kill("SIGTERM");
      const code = await ended;
      clearTimeout(timer);
      await rm(data, { recursive: true, force: true });
      return code;
    },
  };
}
