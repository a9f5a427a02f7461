"""The options file: what it says, every mistake that it can hold, and what is told of it."""
