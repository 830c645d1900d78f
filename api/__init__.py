"""The HTTP API: commands go down through `runs.py`, events come up through `live.py`."""
