"""Title trie: exact, batched scoring plans over all titles of a catalog."""
