"use strict";

/** Asks the API beside this page. A subscription's events come as server-sent events, under the same headers. */
async function ask(parameters, { headers, documentAST } = {}) {
  const name = parameters.operationName;
  const operations = (documentAST?.definitions ?? []).filter((it) => it.kind === "OperationDefinition");
  const chosen = operations.find((it) => !name || it.name?.value === name);
  const accept =
    chosen?.operation === "subscription"
      ? "text/event-stream, application/graphql-response+json;q=0.9, application/json;q=0.8"
      : "application/graphql-response+json, application/json;q=0.9";
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept },
    body: JSON.stringify(parameters),
  });
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  return isStream ? events(response) : response.json();
}

async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value.replaceAll("\r", "");
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        const all = (field) => lines.filter((it) => it.startsWith(`${field}:`)).map((it) => it.slice(field.length + 1).trimStart());
        if (all("event")[0] === "complete") return;
        const data = all("data").join("\n");
        if (data) yield JSON.parse(data);
      }
    }
  } finally {
    await reader.cancel();
  }
}

const root = ReactDOM.createRoot(document.getElementById("graphiql"));
const given = new URLSearchParams(location.search);
root.render(
  React.createElement(GraphiQL, {
    fetcher: ask,
    query: given.get("query") ?? undefined,
    variables: given.get("variables") ?? undefined,
    defaultEditorToolsVisibility: true,
  }),
);
