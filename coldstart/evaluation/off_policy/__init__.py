"""Off-policy evaluation of logged feedback: business metrics and policy value estimators."""
