// The client of graphql-sse, in both of its modes.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createClient } from "graphql-sse";
import { startGateway } from "../gateway.js";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

for (const singleConnection of [false, true]) {
  describe(singleConnection ? "single connection mode" : "distinct connections mode", () => {
    const open = () => createClient({ url: gateway.url, singleConnection, retryAttempts: 0 });

    async function results(client, operation) {
      const found = [];
      for await (const result of client.iterate(operation)) found.push(result);
      return found;
    }

    test("queries and mutations are answered once and complete", async () => {
      const client = open();
      assert.deepEqual(await results(client, { query: "{ hello }" }), [{ data: { hello: "hello" } }]);
      const mutation = { query: "mutation($text: String!) { shout(text: $text) }", variables: { text: "a" } };
      assert.deepEqual(await results(client, mutation), [{ data: { shout: "A" } }]);
      client.dispose();
    });

    test("a subscription's events come in order, and then it completes", async () => {
      const client = open();
      const found = await results(client, { query: "subscription { count(to: 3) }" });
      assert.deepEqual(found.map((it) => it.data.count), [1, 2, 3]);
      client.dispose();
    });

    test("a client that has had enough leaves, and others are served", async () => {
      const client = open();
      const seen = [];
      for await (const result of client.iterate({ query: "subscription { forever }" })) {
        seen.push(result.data.forever);
        if (seen.length === 3) break;
      }
      assert.deepEqual(seen, [1, 2, 3]);
      assert.deepEqual(await results(client, { query: "{ hello }" }), [{ data: { hello: "hello" } }]);
      client.dispose();
    });

    test("an operation that is not valid is told", async () => {
      const client = open();
      const outcome = await results(client, { query: "{ nonsense }" }).catch((error) => [{ errors: [].concat(error) }]);
      assert.match(JSON.stringify(outcome[0].errors[0].message ?? outcome), /nonsense|400|Bad Request/);
      client.dispose();
    });
  });
}
