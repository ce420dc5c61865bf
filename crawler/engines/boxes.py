"""Arithmetic of boxes (left, top, width, height) in the same units."""

Box = tuple[float, float, float, float]


def overlap(a: Box, b: Box) -> float:
    """Intersection over union, 0–1."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    common = max(0.0, wide) * max(0.0, high)
    whole = a[2] * a[3] + b[2] * b[3] - common
    return common / whole if whole > 0 else 0.0
