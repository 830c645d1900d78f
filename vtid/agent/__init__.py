"""The reference agent: a worker around any command. It claims, beats, pushes and hands in; the command only works.

A client of the HTTP API like any other worker, and of git and GitHub.
"""
