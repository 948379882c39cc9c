"""The token trie of the catalog titles."""
