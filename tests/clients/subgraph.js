// The subgraph behind the gateway: JSON, forms with files, and subscriptions over graphql-transport-ws.
import { createServer } from "node:http";
import { buildSchema, execute, parse, subscribe } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";

const schema = buildSchema(`
  scalar Upload
  type Query { hello: String, greet(name: String!): String, broken: String, whoami: String, secret: String }
  type Mutation { shout(text: String!): String, upload(file: Upload!): String, uploadMany(files: [Upload!]!): [String!] }
  type Subscription { count(to: Int!): Int, forever: Int }
`);

const describe = async (file) => `${file.name} (${file.type}): ${await file.text()}`;

const rootValue = {
  hello: "hello",
  greet: ({ name }) => `hello ${name}`,
  broken: () => {
    throw new Error("broken on purpose");
  },
  secret: "hidden",
  whoami: (_, { authorization }) => authorization ?? "nobody",
  shout: ({ text }) => text.toUpperCase(),
  upload: ({ file }) => describe(file),
  uploadMany: ({ files }) => Promise.all(files.map(describe)),
  count: async function* ({ to }) {
    for (let count = 1; count <= to; count += 1) yield { count };
  },
  forever: async function* () {
    for (let forever = 1; ; forever += 1) {
      yield { forever };
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
};

async function read(request) {
  const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
  const whole = new Request("http://subgraph/", { method: "POST", headers, body: request, duplex: "half" });
  if (!headers.get("content-type").startsWith("multipart/form-data")) return whole.json();
  const form = await whole.formData();
  const operation = JSON.parse(form.get("operations"));
  for (const [name, paths] of Object.entries(JSON.parse(form.get("map")))) {
    for (const path of paths) {
      const steps = path.split(".");
      const last = steps.pop();
      steps.reduce((place, step) => place[step], operation)[last] = form.get(name);
    }
  }
  return operation;
}

/** Starts it on a port of its own. */
export async function startSubgraph() {
  const server = createServer(async (request, response) => {
    try {
      const { query, variables, operationName } = await read(request);
      const contextValue = { authorization: request.headers.authorization };
      const document = parse(query);
      const result = await execute({ schema, document, rootValue, contextValue, variableValues: variables, operationName });
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
    } catch (error) {
      // A request that broke off, say.
      response.writeHead(400).end(String(error));
    }
  });
  const sockets = new WebSocketServer({ server, path: "/graphql" });
  useServer({ schema, roots: { query: rootValue, mutation: rootValue, subscription: rootValue }, execute, subscribe }, sockets);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/graphql`,
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
}
