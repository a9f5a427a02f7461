"""What is rendered for an Ethereum network alone: its nodes, and what leads to them and looks at them."""
