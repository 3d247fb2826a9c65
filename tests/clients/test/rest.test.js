// openapi-typescript and openapi-fetch: the types that follow from the description, and a client that has them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import createClient from "openapi-fetch";
import openapiTS, { astToString } from "openapi-typescript";
import { startGateway } from "../gateway.js";

const run = promisify(execFile);
const here = (path) => new URL(`../${path}`, import.meta.url);

let gateway;
let origin;
before(async () => {
  gateway = await startGateway();
  origin = new URL(gateway.url).origin;
});
after(() => gateway.stop());

test("a client asks by the routes of the supergraph", async () => {
  const client = createClient({ baseUrl: `${origin}/api/v1` });
  const greeted = await client.GET("/greet", { params: { query: { name: "you" } } });
  assert.equal(greeted.data, "hello you");
  const shouted = await client.POST("/shout", { body: { text: "a" } });
  assert.equal(shouted.data, "A");
  const refused = await client.GET("/greet", { params: { query: { colour: "red" } } });
  assert.deepEqual([refused.response.status, refused.error.code, refused.error.field], [400, "BAD_USER_INPUT", "colour"]);
});

test("the gateway describes the routes that it serves", async () => {
  const document = await (await fetch(`${origin}/openapi.json`)).json();
  assert.deepEqual(Object.keys(document.paths["/greet"]), ["get"]);
  assert.ok(!("/upload" in document.paths), "files do not fit into JSON");
  assert.match(astToString(await openapiTS(document)), /"\/shout"/);
});

test("types of Pulse's own API let through what is right alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "pulse-rest-types-"));
  try {
    await symlink(here("node_modules").pathname, join(folder, "node_modules"));
    const types = astToString(await openapiTS(here("../../schema/openapi.json")));
    await writeFile(join(folder, "api.d.ts"), types);
    await writeFile(join(folder, "client.ts"), CLIENT);
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "client.ts"];
    await run(process.execPath, [here("node_modules/typescript/bin/tsc").pathname, ...options], { cwd: folder }).catch(
      (error) => assert.fail(error.stdout),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

const CLIENT = `
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const client = createClient<paths>({ baseUrl: "/api/v1" });

export async function all() {
  const { data, error } = await client.GET("/entities", {
    params: { query: { type: "package", first: 20, orderBy: "-createdAt", keys: ["a", "b"] } },
  });
  if (error) throw new Error(error.detail);
  const names: (string | undefined)[] = data.nodes.map((node) => node.name);
  const next: string | null | undefined = data.pageInfo.endCursor;
  await client.POST("/entities", {
    params: { header: { "Idempotency-Key": "once" } },
    body: { key: "a", name: "A", type: "package", confidence: 1 },
  });
  await client.PATCH("/entities/{id}", { params: { path: { id: "x" }, header: { "If-Match": '"1"' } }, body: { name: "B" } });
  // @ts-expect-error there is no such order
  await client.GET("/entities", { params: { query: { orderBy: "colour" } } });
  // @ts-expect-error the name is missing
  await client.POST("/entities", { body: { key: "a", type: "package" } });
  // @ts-expect-error there is no such place
  await client.GET("/nothing");
  return { names, next };
}
`;
