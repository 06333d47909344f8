"""Records finished runs where their user also keeps others: TensorBoard, MLflow."""
