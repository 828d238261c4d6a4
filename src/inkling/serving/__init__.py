"""A memory as a service over HTTP: what it serves, the rules of access, and its routes."""
