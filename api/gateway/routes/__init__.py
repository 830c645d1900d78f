"""The routes of the old gateway, by noun."""

from api.gateway.routes import completing, events, gone, reading, routing, working

NOUNS = (reading, working, routing, events, completing, gone)
