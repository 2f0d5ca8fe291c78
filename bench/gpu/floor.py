"""What the arithmetic costs at least, and what others have published: the figures to hold ours against."""

from dataclasses import dataclass

__all__ = ["GOALS", "PUBLISHED", "RATES", "Case", "forward_floors", "forward_tflop", "vae_tflop"]

RATES = {
    "all at the measured bf16 peak": (790.0, 790.0),
    "bf16 products, FlashAttention 3": (700.0, 640.0),
    "fp8 products, FlashAttention 3": (1200.0, 640.0),
    "fp8 products, 8-bit attention": (1200.0, 880.0),
}
"""TFLOP/s of linear layers and of attention that are plausible on one H200 with random data."""

PUBLISHED = {
    "480p": {
        "stock step, s": "9.77 (diffusers, H100)",
        "step, s": "5.18 (LightX2V, H100)",
        "4 steps end to end, s": "14 (LightX2V, H200)",
        "clips per GPU-hour": "257 (LightX2V, from its latency)",
    },
    "720p": {
        "step, s": "16.5 (LightX2V, H200, from 671 s for 40 steps less 11 s)",
        "4 steps end to end, s": "44 (LightX2V, H200)",
        "clips per GPU-hour": "82 (LightX2V, from its latency)",
    },
}
"""Of Wan 14B, 81 frames, guided where a step is meant; sources in docs of the projects named."""

GOALS = {
    "480p": {"step, s": 5.3, "4 steps end to end, s": 9.0, "clips per GPU-hour": 430.0},
    "720p": {"4 steps end to end, s": 33.0},
}


@dataclass(frozen=True, slots=True)
class Case:
    """A clip's size: sides in pixels, frames, and the transformer's own dimensions."""

    width: int
    height: int
    frames: int
    model_width: int
    feed_forward: int
    layers: int

    @property
    def latent_frames(self) -> int:
        return (self.frames - 1) // 4 + 1

    @property
    def tokens(self) -> int:
        return self.latent_frames * (self.height // 16) * (self.width // 16)


def forward_tflop(case: Case) -> tuple[float, float]:
    """TFLOP of one pass of the transformer: in linear layers, and in attention."""
    tokens, width = case.tokens, case.model_width
    linear = 2 * case.layers * tokens * (6 * width**2 + 2 * width * case.feed_forward)
    attention = 4 * case.layers * tokens * (tokens + 512) * width
    return linear / 1e12, attention / 1e12


def forward_floors(case: Case) -> dict[str, float]:
    """Seconds of one pass at each pair of rates."""
    linear, attention = forward_tflop(case)
    return {name: linear / rates[0] + attention / rates[1] for name, rates in RATES.items()}


def vae_tflop(case: Case) -> tuple[float, float]:
    """TFLOP to encode and to decode a clip with Wan 2.1's VAE: 164 and 275 at 480 × 832 × 81, by its volume."""
    volume = case.width * case.height * case.frames / (832 * 480 * 81)
    return 164 * volume, 275 * volume
