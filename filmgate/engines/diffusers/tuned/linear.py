"""Linear layers in 8 bits: weights scaled by row once, activations scaled by row as they come.

On a CUDA device with 8-bit matrix units torch's scaled product multiplies the stored numbers themselves. Elsewhere the
same stored numbers are multiplied in float32: the result differs from the device's by the order of the sum alone.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from filmgate.engines.diffusers.tuned.rows import E4M3, Rows, quantize_rows

__all__ = ["Fp8Linear", "RowQuantizer", "block_linears", "shared_rows", "use_16_bit_linears", "use_fp8_linears"]

RowQuantizer = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

_SIDE_MULTIPLE = 16
"""Sides that the matrix units take; other layers are multiplied in float32 there too."""
_BLOCKS = frozenset({"blocks", "transformer_blocks"})
_MODULATION = frozenset({"img_mod", "txt_mod"})


class Fp8Linear(nn.Linear):
    """A linear layer whose `weight` is e4m3 (out × in) with `weight_scale` (out × 1, float32).

    Starts without storage (on the meta device): give it tensors by `of` or by loading a state with `assign=True`.
    `compute_dtype` is that of what goes in and comes out; adapters attached to the layer take it too. `on_units` lets
    the device's 8-bit matrix units multiply; False multiplies the same numbers in float32.
    """

    weight_scale: torch.Tensor

    def __init__(self, in_features: int, out_features: int, *, bias: bool, compute_dtype: torch.dtype) -> None:
        super().__init__(in_features, out_features, bias=bias, device="meta", dtype=compute_dtype)
        stored = torch.empty(out_features, in_features, device="meta", dtype=E4M3)
        self.weight = nn.Parameter(stored, requires_grad=False)
        self.register_buffer("weight_scale", torch.empty(out_features, 1, device="meta", dtype=torch.float32))
        self.compute_dtype = compute_dtype
        self.quantize: RowQuantizer = quantize_rows
        self.on_units = False

    @classmethod
    def of(cls, linear: nn.Linear, device: torch.device) -> "Fp8Linear":
        """The layer in 8 bits, where its weight is now; `device` does the arithmetic."""
        home = linear.weight.device
        made = cls(
            linear.in_features, linear.out_features, bias=linear.bias is not None, compute_dtype=linear.weight.dtype
        )
        weight, scale = quantize_rows(linear.weight.detach().to(device))
        made.weight = nn.Parameter(weight.to(home), requires_grad=False)
        made.weight_scale = scale.to(home)
        if linear.bias is not None:
            made.bias = nn.Parameter(linear.bias.detach(), requires_grad=False)
        return made

    def rows(self, tensor: torch.Tensor) -> Rows:
        """The layer's input in 8 bits, for this layer or several that share it."""
        values, scale = self.quantize(tensor.reshape(-1, tensor.shape[-1]))
        return Rows(values, scale, tensor.shape, tensor.dtype)

    def forward(self, given: torch.Tensor | Rows) -> torch.Tensor:
        """… × in, as a tensor or already quantised, to … × out."""
        rows = given if isinstance(given, Rows) else self.rows(given)
        return self._on_matrix_units(rows) if self.on_units else self.dequantized(rows)

    @property
    def fits_units(self) -> bool:
        """Whether the sides of the weight are such as the matrix units take."""
        return all(side % _SIDE_MULTIPLE == 0 for side in self.weight.shape)

    def dequantized(self, rows: Rows) -> torch.Tensor:
        """What the layer computes, in float32."""
        product = rows.values.float() @ self.weight.float().t() * rows.scale * self.weight_scale.t()
        return self._as_given(product if self.bias is None else product + self.bias.float(), rows)

    def _on_matrix_units(self, rows: Rows) -> torch.Tensor:
        product = torch._scaled_mm(
            rows.values,
            self.weight.t(),
            scale_a=rows.scale,
            scale_b=self.weight_scale.t(),
            bias=None if self.bias is None else self.bias.to(torch.bfloat16),
            out_dtype=torch.bfloat16,
            use_fast_accum=True,
        )
        return self._as_given(product, rows)

    def _as_given(self, product: torch.Tensor, rows: Rows) -> torch.Tensor:
        return product.to(rows.dtype).reshape(*rows.shape[:-1], self.out_features)


def block_linears(transformer: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    """The linear layers of a transformer's blocks, each with the module that holds it and its name there.

    Without those that make modulation: they see one row, so 8 bits would cost precision and save nothing.
    """
    for path, module in list(transformer.named_modules()):
        names = path.split(".")
        if isinstance(module, nn.Linear) and names[0] in _BLOCKS and not _MODULATION.intersection(names):
            yield transformer.get_submodule(".".join(names[:-1])), names[-1], module


def use_fp8_linears(
    transformer: nn.Module, device: torch.device, quantize: RowQuantizer, *, convert: bool, on_units: bool
) -> int:
    """Lets the blocks' linear layers that are in 8 bits run as told; returns how many there are.

    `convert` brings the others to 8 bits first, on `device`; what they were in 16 bits is gone for good then.
    """
    count = 0
    for holder, name, linear in block_linears(transformer):
        if not (convert or isinstance(linear, Fp8Linear)):
            continue
        layer = linear if isinstance(linear, Fp8Linear) else Fp8Linear.of(linear, device)
        layer.quantize = quantize
        layer.on_units = on_units and layer.fits_units
        setattr(holder, name, layer)
        count += 1
    return count


def use_16_bit_linears(transformer: nn.Module) -> int:
    """Brings layers in 8 bits back to what they compute in, as merging an adapter into them needs; returns how many.

    What rounding to 8 bits took away does not come back.
    """
    count = 0
    for holder, name, layer in block_linears(transformer):
        if isinstance(layer, Fp8Linear):
            plain = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None, device="meta")
            weight = (layer.weight.float() * layer.weight_scale).to(layer.compute_dtype)
            plain.weight = nn.Parameter(weight, requires_grad=False)
            plain.bias = layer.bias
            setattr(holder, name, plain)
            count += 1
    return count


def shared_rows(given: torch.Tensor, layers: Sequence[nn.Module]) -> torch.Tensor | Rows:
    """The input of several layers, quantised once if all of them are in 8 bits."""
    linears = [layer for layer in layers if isinstance(layer, Fp8Linear)]
    return linears[0].rows(given) if linears and len(linears) == len(layers) else given
