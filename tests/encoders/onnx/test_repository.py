"""ONNX repositories as people publish them: vectors equal to the library's, files by precision, and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from tokenizers import Tokenizer

from inkling.encoders.hub import find_folder
from inkling.encoders.onnx.encoder import OnnxEncoder
from inkling.encoders.onnx.graph import read_graph
from inkling.encoders.registry import load_encoder
from inkling.encoders.transformers.encoder import TransformersEncoder
from inkling.errors import EncoderError
from tests.encoders.families import write_siglip_2
from tests.encoders.folders import SENTENCES, change_json, pictures, write_clip, write_dinov2
from tests.encoders.onnx.repositories import (
    Outputs,
    export,
    pixels,
    write_both_in_one,
    write_immich,
    write_transformers_js,
)

TEXTS = [*SENTENCES, "a  photo of\ta CAT, at night!", "boat"]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders as `save_pretrained` writes them, from which repositories are exported."""
    root = tmp_path_factory.mktemp("sources")
    write_clip(root / "clip")
    write_siglip_2(root / "siglip")
    write_dinov2(root / "dinov2")
    return {path.name: path for path in root.iterdir()}


@pytest.fixture(scope="module")
def made(sources: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_transformers_js(sources["clip"], tmp_path_factory.mktemp("js") / "tiny-clip-ONNX")


@pytest.fixture
def repository(made: Path, tmp_path: Path) -> Path:
    """One that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "tiny-clip-ONNX"))


def image_vectors(encoder: Any, n: int = 7) -> np.ndarray:
    return encoder.encode_images([encoder.prepare(image) for image in pictures(n)]).embeddings


def assert_equal_vectors(found: OnnxEncoder, source: Path, *, images: bool = True) -> None:
    expected = TransformersEncoder(source, device="cpu", precision="float32")
    assert found.identity.dimension == expected.identity.dimension
    if images:
        np.testing.assert_allclose(image_vectors(found), image_vectors(expected), atol=1e-4)
    np.testing.assert_allclose(found.encode_texts(TEXTS), expected.encode_texts(TEXTS), atol=1e-4)
    alone = np.concatenate([found.encode_texts([text]) for text in TEXTS])
    np.testing.assert_allclose(found.encode_texts(TEXTS), alone, atol=1e-5)


@pytest.mark.parametrize("mask", [False, True])
def test_clip_in_the_layout_of_transformers_js(mask: bool, sources: dict[str, Path], tmp_path: Path) -> None:
    folder = write_transformers_js(sources["clip"], tmp_path / "made", mask=mask)
    encoder = load_encoder(folder)
    assert isinstance(encoder, OnnxEncoder)
    assert (encoder.identity.name, encoder.identity.logit_scale, encoder.identity.precision) == ("made", 100, "float32")
    assert_equal_vectors(encoder, sources["clip"])


def test_siglip_ends_in_its_pooled_output_and_reads_canonical_texts_of_full_length(
    sources: dict[str, Path], tmp_path: Path
) -> None:
    folder = write_transformers_js(sources["siglip"], tmp_path / "made", names=("pooler_output", "pooler_output"))
    assert_equal_vectors(load_encoder(folder), sources["siglip"])


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_both_towers_in_one_file(kind: str, sources: dict[str, Path], tmp_path: Path) -> None:
    assert_equal_vectors(load_encoder(write_both_in_one(sources[kind], tmp_path / "made")), sources[kind])


def test_the_layout_of_optimum(repository: Path, sources: dict[str, Path]) -> None:
    for file in (repository / "onnx").iterdir():
        file.rename(repository / file.name)
    (repository / "onnx").rmdir()
    assert_equal_vectors(load_encoder(repository), sources["clip"])


@pytest.mark.parametrize(("kind", "clean"), [("clip", None), ("siglip", "canonicalize")])
def test_immichs_layout_of_fixed_shapes_and_tokens_of_32_bits(
    kind: str, clean: str | None, sources: dict[str, Path], tmp_path: Path
) -> None:
    folder = write_immich(sources[kind], tmp_path / "made", clean=clean)
    encoder = load_encoder(folder)
    assert_equal_vectors(encoder, sources[kind], images=False)
    alike = TransformersEncoder(sources[kind], device="cpu", precision="float32")
    prepared = [encoder.prepare(image) for image in pictures(5)]
    np.testing.assert_allclose(
        encoder.encode_images(prepared).embeddings, alike.encode_images(prepared).embeddings, atol=1e-4
    )


def test_an_image_tower_alone_gives_its_class_token(sources: dict[str, Path], tmp_path: Path) -> None:
    from transformers import AutoModel

    model = AutoModel.from_pretrained(sources["dinov2"], attn_implementation="eager").eval()
    for name in ("config.json", "preprocessor_config.json"):
        shutil.copy(sources["dinov2"] / name, tmp_path / name)
    hidden = Outputs(model, lambda model, pixels: model(pixel_values=pixels).last_hidden_state)
    given = TransformersEncoder(sources["dinov2"], device="cpu", precision="float32")
    side = given.prepare(pictures(1)[0]).shape[1]
    export(hidden, tmp_path / "onnx/model.onnx", {"pixel_values": pixels(side=side)}, ["last_hidden_state"])
    encoder = load_encoder(tmp_path)
    assert not encoder.has_texts
    assert encoder.identity.logit_scale == pytest.approx(1 / 0.07)
    np.testing.assert_allclose(image_vectors(encoder), image_vectors(given), atol=1e-4)
    with pytest.raises(EncoderError, match="no text side"):
        encoder.encode_texts(["a cat"])


def test_texts_are_padded_where_that_matters_to_the_model(made: Path, tmp_path: Path) -> None:
    """MobileCLIP's text tower reads the padding, and nothing in its files says so."""

    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(100, 24)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return self.table(tokens).mean(dim=1)

    torch.manual_seed(0)
    folder, tower = Path(shutil.copytree(made, tmp_path / "made")), Mean().eval()
    export(tower, folder / "onnx/text_model.onnx", {"input_ids": torch.ones(2, 5, dtype=torch.int64)}, ["text_embeds"])
    change_json(folder / "tokenizer_config.json", model_max_length=20)
    change_json(folder / "config.json", text_config={})
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(length=20, pad_id=tokenizer.token_to_id("<|endoftext|>"))
    ids = torch.tensor([one.ids for one in tokenizer.encode_batch(SENTENCES)])
    expected = torch.nn.functional.normalize(tower(ids), dim=1).detach().numpy()
    np.testing.assert_allclose(load_encoder(folder).encode_texts(SENTENCES), expected, atol=1e-5)


def test_files_of_other_precisions(repository: Path) -> None:
    for tower in ("vision_model", "text_model"):
        plain = repository / f"onnx/{tower}.onnx"
        shutil.copy(plain, repository / f"onnx/{tower}_quantized.onnx")
        model = onnx.load(plain)
        model.doc_string = "another file"
        onnx.save(model, repository / f"onnx/{tower}_fp16.onnx")
    identities = {name: load_encoder(repository, precision=name).identity for name in ("auto", "float32", "float16")}
    assert identities["auto"] == identities["float32"]
    assert identities["float16"].precision == "float16"
    assert load_encoder(repository, precision="int8").identity.precision == "int8"
    assert len({each.fingerprint for each in identities.values()}) == 2
    with pytest.raises(EncoderError, match=r"precision q4; it has float32, float16, int8\.\nUse the precision float32"):
        load_encoder(repository, precision="q4")
    (repository / "onnx/text_model.onnx").unlink()
    with pytest.raises(EncoderError, match="precision auto; it has float16, int8"):
        load_encoder(repository)


@pytest.mark.parametrize("source", ["sketch", "clip"])
def test_other_encoders_refuse_precisions_of_files(source: str, sources: dict[str, Path]) -> None:
    with pytest.raises(EncoderError, match="'float16' is one of files in ONNX repositories; this encoder has auto,"):
        load_encoder(sources.get(source, source), precision="float16")


def test_a_model_that_rounds_by_what_it_is_given_is_given_one_row_at_a_time(repository: Path) -> None:
    from onnxruntime.quantization import quantize_dynamic

    for tower in ("vision_model", "text_model"):
        quantize_dynamic(repository / f"onnx/{tower}.onnx", repository / f"onnx/{tower}_quantized.onnx")
    encoder = load_encoder(repository, precision="int8")
    together, apart = (
        image_vectors(encoder, 5),
        np.concatenate([encoder.encode_images([encoder.prepare(image)]).embeddings for image in pictures(5)]),
    )
    np.testing.assert_array_equal(together, apart)
    texts = ["a cat", "a dog"]
    np.testing.assert_array_equal(encoder.encode_texts(texts)[1:], encoder.encode_texts(texts[1:]))
    plain = load_encoder(repository)
    assert (image_vectors(plain, 5) * together).sum(axis=1).min() > 0.98


def with_external_weights(file: Path) -> Path:
    """Move the weights of a model into a file beside it, as models above 2 GB have them."""
    model = onnx.load(file)
    file.unlink()
    name = f"{file.name}_data"
    onnx.save(model, file, save_as_external_data=True, location=name, size_threshold=0)
    return file.with_name(name)


def test_weights_beside_a_model_count_and_must_be_there(repository: Path, sources: dict[str, Path]) -> None:
    data = with_external_weights(repository / "onnx/text_model.onnx")
    assert_equal_vectors(load_encoder(repository), sources["clip"])
    before = load_encoder(repository).identity.fingerprint
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    assert load_encoder(repository).identity.fingerprint != before
    data.unlink()
    with pytest.raises(EncoderError, match=r"keeps weights in text_model\.onnx_data, not found beside it"):
        load_encoder(repository)


def test_weights_outside_of_the_folder_are_refused(repository: Path) -> None:
    file = repository / "onnx/text_model.onnx"
    model = onnx.load(file)
    tensor = model.graph.initializer[0]
    tensor.external_data.add(key="location", value="../../secret")
    file.write_bytes(model.SerializeToString())
    with pytest.raises(EncoderError, match="names weights outside of its folder"):
        load_encoder(repository)


def test_opening_loads_no_model_library_and_needs_none_to_encode(repository: Path) -> None:
    code = (
        "import sys; from PIL import Image; from inkling.encoders.registry import load_encoder\n"
        f"encoder = load_encoder({str(repository)!r}); encoder.identity\n"
        "assert not {'torch', 'transformers', 'onnx', 'onnxruntime'} & set(sys.modules)\n"
        "encoder.encode_images([encoder.prepare(Image.new('RGB', (50, 40)))]); encoder.encode_texts(['a cat'])\n"
        "assert not {'torch', 'transformers', 'onnx'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_weights_of_transformers_come_first_in_known_families(repository: Path, sources: dict[str, Path]) -> None:
    shutil.copy(sources["clip"] / "model.safetensors", repository)
    assert isinstance(load_encoder(repository), TransformersEncoder)
    change_json(repository / "config.json", model_type="jina_clip")
    assert isinstance(load_encoder(repository), OnnxEncoder)


def rename_output(file: Path, name: str) -> None:
    model = onnx.load(file)
    old = model.graph.output[0].name
    for node in model.graph.node:
        node.output[:] = [name if each == old else each for each in node.output]
    model.graph.output[0].name = name
    onnx.save(model, file)


def test_outputs_by_other_names(repository: Path, sources: dict[str, Path]) -> None:
    rename_output(repository / "onnx/vision_model.onnx", "l2norm_image_embeddings")
    rename_output(repository / "onnx/text_model.onnx", "out_17")
    model = onnx.load(repository / "onnx/text_model.onnx")
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("out_17", TensorProto.FLOAT, ["n", 24]))
    onnx.save(model, repository / "onnx/text_model.onnx")
    assert_equal_vectors(load_encoder(repository), sources["clip"])


def test_an_output_of_another_space_is_refused(repository: Path) -> None:
    rename_output(repository / "onnx/vision_model.onnx", "pooler_output")
    with pytest.raises(
        EncoderError, match=r"no output that is known to be the vectors of images; it has pooler_output"
    ):
        load_encoder(repository)


def damaged(repository: Path, name: str) -> None:
    (repository / name).write_bytes(b"\x3a\xff\xff\xff\x0f damaged")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("onnx/vision_model.onnx", r"vision_model\.onnx can't be read: it ends early"),
        ("onnx/text_model.onnx", r"text_model\.onnx can't be read"),
        ("config.json", r"config\.json can't be read as JSON"),
        ("preprocessor_config.json", r"preprocessor_config\.json can't be read as JSON"),
        ("tokenizer_config.json", r"tokenizer_config\.json can't be read as JSON"),
    ],
)
def test_damaged_files(name: str, message: str, repository: Path) -> None:
    damaged(repository, name)
    with pytest.raises(EncoderError, match=message):
        load_encoder(repository)


def test_a_damaged_tokenizer_and_one_of_another_model(repository: Path) -> None:
    file = repository / "tokenizer.json"
    content = json.loads(file.read_text())
    vocabulary = content["model"]["vocab"]
    content["model"]["vocab"] = vocabulary | {f"more{n}": len(vocabulary) + n for n in range(40)}
    file.write_text(json.dumps(content))
    with pytest.raises(EncoderError, match=r"has 103 tokens; the text model \S+ knows 63\.\nUse the tokenizer that"):
        load_encoder(repository).encode_texts(["a cat"])
    damaged(repository, "tokenizer.json")
    with pytest.raises(EncoderError, match=r"tokenizer\.json can't be read"):
        load_encoder(repository).encode_texts(["a cat"])


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("preprocessor_config.json", r"has no preprocessor_config\.json"),
        ("tokenizer.json", r"has a text tower and no tokenizer\.json\.\nCopy the tokenizer\.json"),
    ],
)
def test_missing_files(gone: str, message: str, repository: Path) -> None:
    (repository / gone).unlink()
    with pytest.raises(EncoderError, match=message):
        load_encoder(repository)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("config.json", {"projection_dim": 512}, r"says that vectors have 512 numbers; image_embeds of \S+ has 24"),
        ("preprocessor_config.json", {"size": {"height": "tall", "width": 32}}, r"image processor \S+ can't be read"),
        ("preprocessor_config.json", {"do_center_crop": False, "do_resize": False}, "neither crops nor resizes"),
    ],
)
def test_files_that_contradict_each_other(name: str, changes: dict[str, Any], message: str, repository: Path) -> None:
    change_json(repository / name, **changes)
    with pytest.raises(EncoderError, match=message):
        load_encoder(repository)


def test_a_size_that_the_graph_does_not_read(sources: dict[str, Path], tmp_path: Path) -> None:
    folder = write_immich(sources["clip"], tmp_path / "made")
    change_json(folder / "visual/preprocess_cfg.json", size=[40, 40])
    with pytest.raises(EncoderError, match=r"makes \(40, 40\) pixels of a picture; \S+ reads \(32, 32\)"):
        load_encoder(folder)
    change_json(folder / "visual/preprocess_cfg.json", size=[32, 32], resize_mode="stretch")
    with pytest.raises(EncoderError, match="resize_mode 'stretch'; known are shortest, longest, squash"):
        load_encoder(folder)


def test_a_pointer_of_git_lfs_says_so(repository: Path) -> None:
    (repository / "onnx/vision_model.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(EncoderError, match="pointer of Git LFS"):
        load_encoder(repository)


def test_a_graph_as_the_onnx_library_reads_it(repository: Path) -> None:
    file = repository / "onnx/text_model.onnx"
    graph, reference = read_graph(file), onnx.load(file).graph
    assert [each.name for each in graph.inputs] == [each.name for each in reference.input]
    assert [each.shape for each in graph.outputs] == [(None, 24)]
    assert graph.rows_of_table("input_ids") == 63
    assert graph.external == ()


SMALL = ["config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json", "README.md"]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("auto", {"onnx/vision_model.onnx", "onnx/text_model.onnx", "onnx/text_model.onnx_data"}),
        ("int8", {"onnx/vision_model_quantized.onnx", "onnx/text_model_quantized.onnx"}),
    ],
)
def test_only_the_wanted_files_are_fetched(precision: str, expected: set[str], hub: Any) -> None:
    towers = [f"onnx/{tower}_model{end}.onnx" for tower in ("vision", "text") for end in ("", "_quantized", "_fp16")]
    hub.files = [*SMALL, *towers, "onnx/text_model.onnx_data", "onnx/model.onnx"]
    find_folder("someone/model", precision=precision)
    assert set(hub.fetched) == {*SMALL[:4], *expected}
    with pytest.raises(EncoderError, match="no ONNX files of the precision bnb4; it has float32, float16, int8"):
        find_folder("someone/model", precision="bnb4")


def test_immichs_files_are_fetched_without_those_of_other_runtimes(hub: Any) -> None:
    wanted = ["config.json", "visual/preprocess_cfg.json", "visual/model.onnx", "textual/model.onnx"]
    wanted += ["textual/tokenizer.json", "textual/tokenizer_config.json"]
    hub.files = [*wanted, "visual/model.armnn", "textual/fp16/model.armnn", "visual/rk3588.rknn", "README.md"]
    find_folder("someone/model")
    assert sorted(hub.fetched) == sorted(wanted)


def test_a_repository_in_the_cache_is_used_if_it_has_the_precision_whole(hub: Any, repository: Path) -> None:
    hub.cached, hub.fault = repository, ConnectionError("no route")
    assert load_encoder("someone/model").identity.name == "someone/model"
    with pytest.raises(EncoderError, match=r"only in part \([\s\S]*precision int8; it has float32[\s\S]*no route"):
        load_encoder("someone/model", precision="int8")
    with_external_weights(repository / "onnx/text_model.onnx").unlink()
    with pytest.raises(EncoderError, match=r"only in part \([\s\S]*text_model\.onnx_data"):
        load_encoder("someone/model")
    hub.fault, hub.files = None, [*SMALL, "onnx/vision_model.onnx", "onnx/text_model.onnx", "onnx/text_model.onnx_data"]
    find_folder("someone/model")
    assert "onnx/text_model.onnx_data" in hub.fetched
