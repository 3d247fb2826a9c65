// urql: queries, mutations, persisted queries, and subscriptions over graphql-ws and over server-sent events.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import { startGateway } from "../gateway.js";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

const urql = (exchanges, options = {}) => new Client({ url: gateway.url, exchanges, ...options });

/** The first three events of a subscription. */
function events(client, query) {
  return new Promise((resolve, reject) => {
    const seen = [];
    client.subscription(query, {}).subscribe((result) => {
      if (result.error) reject(result.error);
      if (result.data) seen.push(result.data);
      if (seen.length === 3) resolve(seen);
    });
  });
}

const three = [{ count: 1 }, { count: 2 }, { count: 3 }];

test("a query by POST and by GET, a mutation, and an error", async () => {
  for (const preferGetMethod of [false, "force"]) {
    const client = urql([fetchExchange], { preferGetMethod });
    const found = await client.query("query ($name: String!) { greet(name: $name) }", { name: "you" });
    assert.deepEqual([found.error, found.data], [undefined, { greet: "hello you" }]);
    const shouted = await client.mutation('mutation { shout(text: "a") }', {});
    assert.deepEqual([shouted.error, shouted.data], [undefined, { shout: "A" }]);
    const invalid = await client.query("{ nonsense }", {});
    assert.match(invalid.error.message, /Cannot query field "nonsense"/);
  }
});

test("a persisted query by GET is answered, also by a client that has never sent its text", async () => {
  for (let round = 0; round < 2; round += 1) {
    const client = urql([persistedExchange({ preferGetForPersistedQueries: true }), fetchExchange]);
    const found = await client.query("query Persisted { hello }", {});
    assert.deepEqual([found.error, found.data], [undefined, { hello: "hello" }]);
  }
});

test("a subscription over graphql-ws", async () => {
  const sockets = createClient({ url: gateway.socketUrl, webSocketImpl: WebSocket });
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ ...request, query: request.query ?? "" }, sink) }),
  });
  const client = urql([fetchExchange, subscriptionExchange({ forwardSubscription })]);
  assert.deepEqual(await events(client, "subscription { count(to: 3) }"), three);
  await sockets.dispose();
});

test("a subscription over fetch", async () => {
  const client = urql([fetchExchange], { fetchSubscriptions: true });
  // Another one than that before: who joins a stream that is about to end hears no more of it.
  assert.deepEqual(await events(client, "subscription { count(to: 4) }"), three);
});
