"""Reusing a step: when the first block's output hardly changes, the rest of the blocks are taken from the step before.

The cache is diffusers' FirstBlockCache; it keeps what prompt and negative prompt led to apart (`cache_context`). What
it keeps belongs to one clip and one expert: `forget_steps` before a clip, or it would start from another's steps.
"""

from typing import Any

__all__ = ["forget_steps", "reuse_steps"]


def reuse_steps(transformer: Any, threshold: float) -> None:
    """`threshold` is the relative change of the first block's output below which the other blocks are not run."""
    from diffusers import FirstBlockCacheConfig

    transformer.enable_cache(FirstBlockCacheConfig(threshold=threshold))


def forget_steps(transformer: Any) -> None:
    """Empties the cache, if the transformer has one."""
    if getattr(transformer, "is_cache_enabled", False):
        transformer._reset_stateful_cache()
