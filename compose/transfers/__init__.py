"""A load of signed transfers between the nodes' accounts, so that blocks have something in them."""
