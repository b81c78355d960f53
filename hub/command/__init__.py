"""The families of commands, one module each, imported only when one of theirs is called."""
