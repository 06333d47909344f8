"""A run's YAML configuration: parsed strictly, validated once, immutable."""
