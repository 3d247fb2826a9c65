// Swagger UI fills in parameters that are JSON with samples, and sends those with each request. Shown as texts they are empty.
function asText(parameter) {
  const schema = parameter.content?.["application/json"]?.schema;
  if (!schema) return parameter;
  const { content, ...rest } = parameter;
  const named = (schema) => schema.$ref?.split("/").pop() ?? schema.type ?? "value";
  const what = schema.items ? `a list of \`${named(schema.items)}\`` : `\`${named(schema)}\``;
  return { ...rest, schema: { type: "string" }, description: `${rest.description ?? ""} As JSON: ${what}.` };
}

function shown(description) {
  for (const item of Object.values(description.paths ?? {})) {
    for (const operation of Object.values(item)) {
      if (operation.parameters) operation.parameters = operation.parameters.map(asText);
    }
  }
  // It fills in examples of headers, too: nobody has read the version that they name.
  for (const parameter of Object.values(description.components?.parameters ?? {})) delete parameter.example;
  return description;
}

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "none",
  // Nobody else is asked whether the description is valid.
  validatorUrl: null,
  plugins: [{ statePlugins: { spec: { wrapActions: { updateJsonSpec: (update) => (json) => update(shown(json)) } } } }],
});
