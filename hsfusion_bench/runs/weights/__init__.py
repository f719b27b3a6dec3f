"""Which weights there are, where they come from, and which of them a network is given."""
