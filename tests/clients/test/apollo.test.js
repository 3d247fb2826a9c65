// Apollo Client: single and batched operations, files, subscriptions over multipart HTTP, persisted queries.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import UploadHttpLink from "apollo-upload-client/UploadHttpLink.mjs";
import { startGateway } from "../gateway.js";

let gateway;
before(async () => (gateway = await startGateway()));
after(() => gateway.stop());

/** `fetch` that takes note of what is sent. */
function watched(sent) {
  return (url, options) => {
    sent.push({ url: String(url), method: options.method ?? "GET", body: options.body });
    return fetch(url, options);
  };
}

const withLink = (link) => new ApolloClient({ link, cache: new InMemoryCache() });
const http = (options) => new HttpLink({ uri: gateway.url, ...options });

test("a query, a mutation and an error", async () => {
  const client = withLink(http());
  const { data } = await client.query({ query: gql`query ($name: String!) { greet(name: $name) }`, variables: { name: "you" } });
  assert.deepEqual(data, { greet: "hello you" });
  const shouted = await client.mutate({ mutation: gql`mutation { shout(text: "a") }` });
  assert.deepEqual(shouted.data, { shout: "A" });
  const invalid = client.query({ query: gql`{ nonsense }` });
  await assert.rejects(invalid, /Cannot query field "nonsense"/);
});

test("operations of the same moment go in one batch", async () => {
  const sent = [];
  const client = withLink(new BatchHttpLink({ uri: gateway.url, batchInterval: 20, fetch: watched(sent) }));
  const [hello, greet] = await Promise.all([
    client.query({ query: gql`{ hello }` }),
    client.query({ query: gql`{ greet(name: "you") }` }),
  ]);
  assert.deepEqual([hello.data, greet.data], [{ hello: "hello" }, { greet: "hello you" }]);
  assert.equal(sent.length, 1);
  assert.equal(JSON.parse(sent[0].body).length, 2);
});

test("files go up, one and several", async () => {
  const client = withLink(new UploadHttpLink({ uri: gateway.url, headers: { "apollo-require-preflight": "true" } }));
  const file = (name, text) => new File([text], name, { type: "text/plain" });
  const one = await client.mutate({
    mutation: gql`mutation ($file: Upload!) { upload(file: $file) }`,
    variables: { file: file("a.txt", "first") },
  });
  assert.deepEqual(one.data, { upload: "a.txt (text/plain): first" });
  const many = await client.mutate({
    mutation: gql`mutation ($files: [Upload!]!) { uploadMany(files: $files) }`,
    variables: { files: [file("a.txt", "first"), file("b.txt", "second")] },
  });
  assert.deepEqual(many.data.uploadMany, ["a.txt (text/plain): first", "b.txt (text/plain): second"]);
});

test("a file that is too large is told in words", async () => {
  const client = withLink(new UploadHttpLink({ uri: gateway.url, headers: { "apollo-require-preflight": "true" } }));
  const file = new File([new Uint8Array(12_000_000)], "large.bin");
  const uploaded = client.mutate({ mutation: gql`mutation ($file: Upload!) { upload(file: $file) }`, variables: { file } });
  await assert.rejects(uploaded, (error) => {
    assert.match(JSON.stringify(error.result ?? error.bodyText ?? error.message), /File too large: 12 MB, the limit is 10 MB/);
    return true;
  });
});

test("a subscription's events come over multipart HTTP", async () => {
  const client = withLink(http());
  const counts = await new Promise((resolve, reject) => {
    const seen = [];
    client.subscribe({ query: gql`subscription { count(to: 3) }` }).subscribe({
      next: ({ data, error }) => (error ? reject(error) : seen.push(data.count)),
      error: reject,
      complete: () => resolve(seen),
    });
  });
  assert.deepEqual(counts, [1, 2, 3]);
});

test("a persisted query is sent by its hash alone, once it was sent with its text", async () => {
  for (const useGETForHashedQueries of [false, true]) {
    const sent = [];
    const sha256 = (text) => createHash("sha256").update(text).digest("hex");
    const hashed = () => new PersistedQueryLink({ sha256, useGETForHashedQueries }).concat(http({ fetch: watched(sent) }));
    const query = useGETForHashedQueries ? gql`query ByGet { hello }` : gql`query ByPost { hello }`;
    for (let round = 0; round < 2; round += 1) {
      const { data } = await withLink(hashed()).query({ query });
      assert.deepEqual(data, { hello: "hello" });
    }
    const withText = sent.map(({ url, body }) => `${decodeURIComponent(url)}${body ?? ""}`.includes("hello"));
    assert.deepEqual(withText, [false, true, false]);
    if (useGETForHashedQueries) assert.equal(sent[2].method, "GET");
  }
});
