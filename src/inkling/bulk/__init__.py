"""Runs over more images than one sitting takes: written in parts, each whole or not there, and resumed."""
