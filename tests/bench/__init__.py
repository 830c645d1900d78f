"""What the product costs, measured side by side with bare Temporal and bare FastAPI. `make bench` prints it.

Times of this machine mean nothing by themselves: every figure that matters is a ratio within one run.
Nothing here is asserted in a timed test.
"""
