"""The worker: runs task attempts that the executor gives out, on this machine, as processes of their own."""
