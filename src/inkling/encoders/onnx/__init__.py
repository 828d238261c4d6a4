"""Encoders in ONNX folders."""
