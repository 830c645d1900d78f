"""The worker's tools for models: one set, served by the API over HTTP and by `vtid mcp` over stdio.

A tool is a call of the HTTP API made with the caller's own key, so it can do nothing that the API would
refuse. The official SDK is slow to import; only `vtid.mcp.server` and what it needs import it.
"""
