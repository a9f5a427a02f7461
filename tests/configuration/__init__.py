"""The configuration: what it says, and every mistake that it can hold."""
