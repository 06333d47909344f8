"""What the tool does, as plain functions of plain values."""
