// Nobody else is asked whether the description is valid.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#page", deepLinking: true, docExpansion: "none", validatorUrl: null });
