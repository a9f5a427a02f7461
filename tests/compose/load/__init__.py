"""chainwatch load: what it counts is what the server did."""
