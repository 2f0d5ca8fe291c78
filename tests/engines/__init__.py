"""Engines of ten lines, one behaviour each. All of them work well unless the prompt is `misbehave`."""
