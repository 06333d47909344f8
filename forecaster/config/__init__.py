"""What one YAML file says of a run: read strictly, checked once, frozen."""
