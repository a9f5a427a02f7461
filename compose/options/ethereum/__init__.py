"""The options of an Ethereum network: the DC/OS package's, and those around them."""
