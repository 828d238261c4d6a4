"""The command line: one thin module per verb. Parse, call, print."""
