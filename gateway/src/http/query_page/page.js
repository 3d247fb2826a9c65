"use strict";
const byId = (id) => document.getElementById(id);
const remembered = ["query", "variables"];
const example = "{\n  __typename\n}\n";

function element(name, text) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  return made;
}

function say(text, failed) {
  byId("status").textContent = text;
  byId("status").className = failed ? "failed" : "";
}

function requestHeaders() {
  const headers = new Headers();
  for (const line of byId("headers").value.split("\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    else if (line.trim()) throw new Error(`a header is written "Name: value", not "${line.trim()}"`);
  }
  headers.set("content-type", "application/json");
  headers.set("accept", "application/graphql-response+json, application/json;q=0.9");
  return headers;
}

function parsedVariables() {
  const text = byId("variables").value.trim();
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`the variables are not JSON: ${error.message}`);
  }
}

async function post(body) {
  const response = await fetch(location.pathname, { method: "POST", headers: requestHeaders(), body: JSON.stringify(body) });
  return { status: response.status, answer: await response.json() };
}

async function run() {
  for (const id of remembered) localStorage.setItem(`query-page.${id}`, byId(id).value);
  say("…");
  const started = performance.now();
  try {
    const { status, answer } = await post({ query: byId("query").value, variables: parsedVariables() });
    byId("result").textContent = JSON.stringify(answer, null, 2);
    say(`${status}, ${Math.round(performance.now() - started)} ms`, Boolean(answer.errors));
    if (!byId("schema").hasChildNodes()) await showSchema();
  } catch (error) {
    say(error.message, true);
  }
}

const typeShape = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const schemaQuery = `{ __schema { types { kind name description
  fields(includeDeprecated: true) { name description isDeprecated args { name type { ${typeShape} } } type { ${typeShape} } }
  inputFields { name description type { ${typeShape} } }
  enumValues(includeDeprecated: true) { name description } } } }`;

function typeName(type) {
  if (type.kind === "NON_NULL") return `${typeName(type.ofType)}!`;
  if (type.kind === "LIST") return `[${typeName(type.ofType)}]`;
  return type.name;
}

function signature(field) {
  const args = (field.args ?? []).map((arg) => `${arg.name}: ${typeName(arg.type)}`).join(", ");
  return `${field.name}${args ? `(${args})` : ""}${field.type ? `: ${typeName(field.type)}` : ""}`;
}

function typeEntry(type) {
  const entry = element("details");
  entry.append(element("summary", type.name));
  if (type.description) entry.append(element("small", type.description));
  for (const field of type.fields ?? type.inputFields ?? type.enumValues ?? []) {
    const line = element("div");
    line.append(element("code", signature(field)));
    if (field.isDeprecated) line.append(element("small", "deprecated"));
    if (field.description) line.append(element("small", field.description));
    entry.append(line);
  }
  return entry;
}

function rank(type) {
  const roots = ["Query", "Mutation", "Subscription"];
  return roots.includes(type.name) ? roots.indexOf(type.name) : roots.length;
}

async function showSchema() {
  const { answer } = await post({ query: schemaQuery });
  const types = (answer.data?.__schema?.types ?? []).filter((type) => !type.name.startsWith("__"));
  types.sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
  byId("schema").replaceChildren(...types.map(typeEntry));
}

function filterSchema() {
  const wanted = byId("find").value.trim().toLowerCase();
  for (const entry of byId("schema").children) {
    entry.hidden = wanted !== "" && !entry.textContent.toLowerCase().includes(wanted);
  }
}

/** Tab indents; Shift-Tab still leaves the editor. */
function indent(event) {
  if (event.key !== "Tab" || event.shiftKey) return;
  event.preventDefault();
  const editor = event.target;
  editor.setRangeText("  ", editor.selectionStart, editor.selectionEnd, "end");
}

const asked = new URLSearchParams(location.search);
for (const id of remembered) byId(id).value = asked.get(id) ?? localStorage.getItem(`query-page.${id}`) ?? "";
if (!byId("query").value) byId("query").value = example;
byId("run").addEventListener("click", run);
byId("find").addEventListener("input", filterSchema);
byId("query").addEventListener("keydown", indent);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
showSchema().catch((error) => say(error.message, true));
