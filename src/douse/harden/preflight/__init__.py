"""Logs in, and out whether a program can be kept off the network without hurting anybody: coverage, uses, verdict."""
