"""Cannot be loaded, and says so."""

from filmgate.domain.errors import WeightsInvalid


def engine() -> None:
    raise WeightsInvalid("The weight file depth.onnx was altered; install the package again.")
