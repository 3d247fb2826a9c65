// The official SDK of the Model Context Protocol: published operations as tools.
import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { startGateway } from "../gateway.js";

const { publicKey, privateKey } = generateKeyPairSync("ed25519");
const keys = { keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k", alg: "EdDSA", use: "sig" }] };

const manifest = {
  format: "apollo-persisted-query-manifest",
  version: 1,
  operations: [
    { id: "g", name: "Greet", type: "query", body: "query Greet($name: String! = \"you\") { greet(name: $name) }" },
    { id: "s", name: "Secret", type: "query", body: "query Secret { secret }" },
    { id: "l", name: "Shout", type: "mutation", body: "mutation Shout($text: String!) { loud: shout(text: $text) }" },
    { id: "h", name: "Hello", type: "query", body: "query Hello { hello }" },
  ],
};

const settings = `
[[gateway.jwt.issuers]]
jwks_file = "keys.json"
[[gateway.persisted_operations.manifests]]
client = "web"
file = "web.json"
tools = { Greet = "Greets somebody by name.", Secret = "Tells the secret.", Shout = "Shouts." }
`;

/** An access token of somebody with these scopes. */
function token(scope) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { sub: "somebody", scope, exp: Math.floor(Date.now() / 1000) + 600 };
  const text = `${part({ alg: "EdDSA", kid: "k" })}.${part(claims)}`;
  return `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
}

let gateway;
let origin;
before(async () => {
  gateway = await startGateway(settings, { "web.json": manifest, "keys.json": keys });
  origin = new URL(gateway.url).origin;
});
after(() => gateway.stop());

async function connect(credential) {
  const headers = credential ? { authorization: `Bearer ${credential}` } : {};
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { requestInit: { headers } }));
  return client;
}

test("published operations are listed as tools with schemas of what they take and answer", async () => {
  const client = await connect(token(""));
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), ["web_Greet", "web_Secret", "web_Shout", "describe_type", "search_schema"]);
  const [greet, , shout] = tools;
  assert.equal(greet.description, "Greets somebody by name.");
  assert.deepEqual(greet.inputSchema.properties.name.type, "string");
  assert.equal(greet.inputSchema.required, undefined, "it has a default");
  assert.deepEqual(greet.outputSchema.properties.greet.type, ["string", "null"]);
  assert.deepEqual([greet.annotations.readOnlyHint, shout.annotations.readOnlyHint], [true, false]);
  assert.deepEqual(shout.inputSchema.required, ["text"]);
  assert.ok("loud" in shout.outputSchema.properties);
  await client.close();
});

test("tools are called, and the SDK checks their answers by the schema", async () => {
  const client = await connect(token(""));
  await client.listTools();
  const greeted = await client.callTool({ name: "web_Greet", arguments: { name: "all" } });
  assert.deepEqual(greeted.structuredContent, { greet: "hello all" });
  assert.deepEqual(JSON.parse(greeted.content[0].text), { greet: "hello all" });
  const usual = await client.callTool({ name: "web_Greet" });
  assert.deepEqual(usual.structuredContent, { greet: "hello you" });
  const shouted = await client.callTool({ name: "web_Shout", arguments: { text: "a" } });
  assert.deepEqual(shouted.structuredContent, { loud: "A" });
  const wrong = await client.callTool({ name: "web_Shout", arguments: {} });
  assert.ok(wrong.isError);
  assert.match(wrong.content[0].text, /text/);
  await assert.rejects(client.callTool({ name: "web_Hello" }), /there is no tool "web_Hello"/);
  await client.close();
});

test("a caller has the rights that it has, and nobody is served without a credential", async () => {
  const [poor, rich] = [await connect(token("other")), await connect(token("secret:read"))];
  const refused = await poor.callTool({ name: "web_Secret" });
  assert.ok(refused.isError);
  assert.match(refused.content[0].text, /FORBIDDEN|UNAUTHORIZED|secret/);
  const told = await rich.callTool({ name: "web_Secret" });
  assert.deepEqual(told.structuredContent, { secret: "hidden" });
  await Promise.all([poor.close(), rich.close()]);

  await assert.rejects(connect(), /access token/);
  await assert.rejects(connect("nonsense"), /token is malformed/);
  const bare = await fetch(`${origin}/mcp`, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
  assert.equal(bare.status, 401);
  const place = bare.headers.get("www-authenticate").match(/resource_metadata="([^"]+)"/)[1];
  const metadata = await (await fetch(place)).json();
  assert.equal(metadata.resource, `${origin}/mcp`);
  assert.deepEqual(metadata.bearer_methods_supported, ["header"]);
});

test("the schema is searched and described", async () => {
  const client = await connect(token(""));
  const found = await client.callTool({ name: "search_schema", arguments: { query: "greet" } });
  assert.ok(found.structuredContent.found.some(({ coordinate }) => coordinate === "Query.greet"), JSON.stringify(found));
  const described = await client.callTool({ name: "describe_type", arguments: { name: "Query" } });
  assert.ok(described.structuredContent.__type.fields.some(({ name }) => name === "greet"));
  await client.close();
});

test("each published operation is a URL, by GET and by POST", async () => {
  const headers = { authorization: `Bearer ${token("")}` };
  const place = `${origin}/api/v1/ops/web`;
  const got = await fetch(`${place}/Greet?name=a%20b`, { headers });
  assert.deepEqual(await got.json(), { greet: "hello a b" });
  const tag = got.headers.get("etag");
  const again = await fetch(`${place}/Greet?name=a%20b`, { headers: { ...headers, "if-none-match": tag } });
  assert.equal(again.status, 304);
  const post = { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: '{"text":"a"}' };
  assert.deepEqual(await (await fetch(`${place}/Shout`, post)).json(), { loud: "A" });
  assert.equal((await fetch(`${place}/Shout`, { headers })).status, 405);
  const unknown = await fetch(`${place}/Greet?colour=red`, { headers });
  assert.deepEqual([unknown.status, (await unknown.json()).field], [400, "colour"]);
  assert.equal((await fetch(`${place}/None`, { headers })).status, 404);
  const document = await (await fetch(`${origin}/openapi.json`, { headers })).json();
  assert.deepEqual(Object.keys(document.paths["/ops/web/Greet"]), ["get", "post"]);
  assert.deepEqual(Object.keys(document.paths["/ops/web/Shout"]), ["post"]);
});
