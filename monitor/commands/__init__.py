"""What the command line does, one module per kind of job; ``__main__`` hands them the store."""
