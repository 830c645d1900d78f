"""A coding worker that knows only the public work-order API, and can misbehave in every way we have met."""
