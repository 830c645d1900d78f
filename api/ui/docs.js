// docs.js — the API described by its own OpenAPI document.

SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
