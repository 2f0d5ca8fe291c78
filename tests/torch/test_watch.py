"""Progress and cancellation inside the blocks of a model."""

import pytest
import torch
from torch import nn

from filmgate.domain.errors import RequestStopped
from filmgate.engines.diffusers.watch import Watch
from tests.torch.reports import Notebook

CPU = torch.device("cpu")


def blocks(count: int) -> nn.Sequential:
    return nn.Sequential(*(nn.Linear(4, 4) for _ in range(count)))


def test_stages_add_up_and_never_go_back() -> None:
    report = Notebook()
    watch, model = Watch(report, CPU), blocks(5)

    for name, share in (("encoding", 0.2), ("denoising", 0.8)):
        with watch.stage(name, share), watch.inside(model, calls=5):
            model(torch.ones(1, 4))

    fractions = [fraction for fraction, _ in report.heard]
    assert fractions == sorted(fractions)
    assert fractions[-1] == pytest.approx(0.2 + 0.8 * 4 / 5)
    assert report.stages == ["encoding", "denoising"]
    assert set(watch.timings) == {"encoding", "denoising"}


def test_a_stop_is_heard_before_the_next_block() -> None:
    report = Notebook(stop=lambda notebook: notebook.chances > 8)
    watch, model = Watch(report, CPU), blocks(20)
    reached = []
    for place, block in enumerate(model):
        block.register_forward_hook(lambda *_, place=place: reached.append(place))

    with pytest.raises(RequestStopped), watch.stage("denoising", 1.0), watch.inside(model, calls=20):
        model(torch.ones(1, 4))

    assert reached == list(range(7))


def test_the_hooks_are_gone_after_a_stop() -> None:
    report = Notebook(stop=lambda notebook: notebook.chances == 3)
    watch, model = Watch(report, CPU), blocks(5)
    with pytest.raises(RequestStopped), watch.inside(model, calls=5):
        model(torch.ones(1, 4))
    chances = report.chances

    model(torch.ones(1, 4))

    assert report.chances == chances


def test_a_resumed_stage_starts_where_it_was_left() -> None:
    report = Notebook()
    watch, model = Watch(report, CPU), blocks(5)

    with watch.stage("denoising", 1.0), watch.inside(model, calls=10, before=5):
        model(torch.ones(1, 4))

    assert report.heard[1][0] == pytest.approx(0.5)
