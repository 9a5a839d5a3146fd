// The tags of items in frames, the same as Python's (streaming/gateway/items.py): a test compares the two lists.

export const TAGS = /** @type {const} */ (["row", "window", "execution", "task_run", "dropped", "gone", "lines", "skipped", "stats", "operation", "operations"]);
