"""The steps of a run, each one safe to repeat. The outside comes in through the constructors, as ports."""
