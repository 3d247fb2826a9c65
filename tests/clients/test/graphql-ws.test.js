// The client of graphql-ws, over graphql-transport-ws.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { startGateway } from "../gateway.js";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

/** All that comes of an operation. */
async function results(operation, options = {}) {
  const client = createClient({ url: gateway.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...options });
  const found = [];
  try {
    for await (const result of client.iterate(operation)) found.push(result);
  } finally {
    await client.dispose();
  }
  return found;
}

test("a query is answered once and completes", async () => {
  assert.deepEqual(await results({ query: "{ hello }" }), [{ data: { hello: "hello" } }]);
});

test("a query with variables and an operation's name", async () => {
  const query = "query A { hello } query B($name: String!) { greet(name: $name) }";
  const found = await results({ query, operationName: "B", variables: { name: "you" } });
  assert.deepEqual(found, [{ data: { greet: "hello you" } }]);
});

test("a mutation is answered", async () => {
  assert.deepEqual(await results({ query: 'mutation { shout(text: "a") }' }), [{ data: { shout: "A" } }]);
});

test("an error of a field comes with the data", async () => {
  const [result] = await results({ query: "{ hello broken }" });
  assert.deepEqual(result.data, { hello: "hello", broken: null });
  assert.equal(result.errors[0].path[0], "broken");
});

test("an operation that is not valid ends with its errors", async () => {
  await assert.rejects(results({ query: "{ nonsense }" }), (errors) => {
    assert.match(errors[0].message, /Cannot query field "nonsense"/);
    return true;
  });
});

test("a subscription's events come in order, and then it completes", async () => {
  const found = await results({ query: "subscription { count(to: 3) }" });
  assert.deepEqual(found.map((it) => it.data.count), [1, 2, 3]);
});

test("a client that has had enough completes, and the connection serves on", async () => {
  let opened = 0;
  // A client without operations keeps its connection for a while, instead of closing it at once.
  const settings = { lazyCloseTimeout: 2_000, on: { opened: () => (opened += 1) } };
  const client = createClient({ url: gateway.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0, ...settings });
  const seen = [];
  for await (const result of client.iterate({ query: "subscription { forever }" })) {
    seen.push(result.data.forever);
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, [1, 2, 3]);
  for await (const result of client.iterate({ query: "{ hello }" })) assert.equal(result.data.hello, "hello");
  assert.equal(opened, 1);
  await client.dispose();
});

test("credentials in connectionParams are those of every operation", async () => {
  const settings = '[gateway.remote.headers]\nrequest = [{ propagate = "authorization" }]\n';
  const strict = await startGateway(settings);
  try {
    const whoami = (connectionParams) => results({ query: "{ whoami }" }, { url: strict.socketUrl, connectionParams });
    assert.deepEqual(await whoami({ Authorization: "Bearer me" }), [{ data: { whoami: "Bearer me" } }]);
    assert.deepEqual(await whoami({ authorization: "Bearer you" }), [{ data: { whoami: "Bearer you" } }]);
    assert.deepEqual(await whoami(undefined), [{ data: { whoami: "nobody" } }]);
  } finally {
    await strict.stop();
  }
});

test("several operations share one connection", async () => {
  const client = createClient({ url: gateway.socketUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
  const all = async (query) => {
    const found = [];
    for await (const result of client.iterate({ query })) found.push(result.data);
    return found;
  };
  const [count, hello] = await Promise.all([all("subscription { count(to: 2) }"), all("{ hello }")]);
  assert.deepEqual([count, hello], [[{ count: 1 }, { count: 2 }], [{ hello: "hello" }]]);
  await client.dispose();
});
