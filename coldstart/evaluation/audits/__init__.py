"""What a table of means hides: what moves a list, what the model knew before, what it makes up.

Each module is one audit of a trained recommender and returns plain data; ``report`` lays it out.
"""
