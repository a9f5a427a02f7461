"""What is rendered for an EOSIO or Antelope network alone: its nodes, and what leads to them and looks at them."""
