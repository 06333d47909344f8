"""What the tool does, as plain functions of plain values: the public Python API."""
