// A running gateway over the subgraph, as `pulse serve gateway` starts it. PULSE_BINARY says where the program is.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startSubgraph } from "./subgraph.js";

const binary = process.env.PULSE_BINARY ?? new URL("../../target/debug/pulse", import.meta.url).pathname;

/** Starts both, with other files beside the settings; `stop` ends both. */
export async function startGateway(settings = "", others = {}) {
  const subgraph = await startSubgraph();
  const folder = await mkdtemp(join(tmpdir(), "pulse-clients-"));
  const supergraph = await readFile(new URL("supergraph.graphql", import.meta.url), "utf8");
  await writeFile(join(folder, "supergraph.graphql"), supergraph.replace("http://127.0.0.1:1/graphql", subgraph.url));
  await writeFile(join(folder, "pulse.toml"), settings);
  for (const [name, content] of Object.entries(others)) await writeFile(join(folder, name), JSON.stringify(content));
  const files = ["--config", "pulse.toml", "serve", "gateway", "--supergraph", "supergraph.graphql"];
  const gateway = spawn(binary, [...files, "--listen", "127.0.0.1:0"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const log = [];
  gateway.stderr.on("data", (text) => log.push(String(text)));
  const ended = new Promise((resolve) => gateway.once("exit", resolve));
  const stop = async () => {
    gateway.kill("SIGTERM");
    await ended;
    subgraph.stop();
    await rm(folder, { recursive: true });
  };
  const url = await Promise.race([address(gateway.stdout), ended.then(() => undefined)]);
  if (!url) {
    await stop();
    throw new Error(`the gateway did not start:\n${log.join("")}`);
  }
  return { url, socketUrl: url.replace("http", "ws"), stop };
}

/** The address that the gateway says it is ready at. */
async function address(output) {
  for await (const line of createInterface({ input: output })) {
    const ready = line.match(/ready at (http\S+)/);
    if (ready) {
      output.resume();
      return ready[1];
    }
  }
  return undefined;
}
