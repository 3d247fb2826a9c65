// What the specification of GraphQL over HTTP asks of a server, as npm's graphql-http audits it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { serverAudits } from "graphql-http";
import { startGateway } from "../gateway.js";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

for (const { id, name } of serverAudits({ url: "http://gateway/graphql" })) {
  test(`${id} ${name}`, async (context) => {
    const audit = serverAudits({ url: gateway.url, fetchFn: fetch }).find((it) => it.id === id);
    const result = await audit.fn();
    // What a server may do is told, and decides nothing.
    if (name.startsWith("MAY")) context.diagnostic(`${result.status} ${result.reason ?? ""}`);
    else assert.equal(result.status, "ok", result.reason);
  });
}
