"""Parts of a package that is not coldstart: a signal, two scorers, an index, a filter."""
