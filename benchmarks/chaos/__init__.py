"""The product under faults: what it is given to do, what goes wrong meanwhile, and what is left in the store."""
