"""The clusters that compose/ makes: options, identities, files, and how they get into a directory."""
