"""Profile resolution: picks to catalog ids, and rule-based parsing of free text."""
