"""Image towers of encoders as ONNX models: a module a kind, and `kinds` tells which is taken."""
