import pytest
import torch
from transformers import AutoConfig, AutoModel, DistilBertConfig, DistilBertModel
from transformers.utils import logging

from data_cleaning.errors import BadInput
from neural.encoder import load_encoder, load_skeleton, longest_input, save_skeleton


def test_a_local_encoder_needs_no_network_and_has_no_pooler(tiny_folder, monkeypatch, capfd):
    asked = []
    original = AutoModel.from_pretrained
    monkeypatch.setattr(
        AutoModel,
        "from_pretrained",
        lambda *args, **kwargs: asked.append(kwargs["local_files_only"]) or original(*args, **kwargs),
    )

    encoder, tokenizer = load_encoder(str(tiny_folder))

    assert asked == [True]
    assert encoder.pooler is None
    assert tokenizer.is_fast
    assert longest_input(encoder, tokenizer) == 64
    assert capfd.readouterr() == ("", "")


def test_loading_leaves_the_verbosity_of_transformers_as_it_was(tiny_folder):
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()

    load_encoder(str(tiny_folder))

    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_an_encoder_class_without_a_pooler_loads_too(tmp_path, tokenizer):
    config = DistilBertConfig(vocab_size=len(tokenizer), dim=32, n_layers=1, n_heads=2, hidden_dim=64)
    DistilBertModel(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)

    encoder, _ = load_encoder(str(tmp_path))

    assert encoder.config.hidden_size == 32


def test_half_precision_weights_load_as_float32(tmp_path, tiny_folder):
    encoder, tokenizer = load_encoder(str(tiny_folder))
    encoder.to(torch.bfloat16).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)

    assert load_encoder(str(tmp_path))[0].dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("packaged:minilmm", "Unknown packaged encoder 'minilmm'. Did you mean 'minilm'?"),
        ("./no/such/folder", "'./no/such/folder' looks like a folder, but there is none. Use 'packaged:minilm'"),
        ("two words", "Encoder 'two words' cannot be loaded"),
    ],
)
def test_an_unknown_encoder_is_refused_with_the_accepted_forms(name, says):
    with pytest.raises(BadInput) as raised:
        load_encoder(name)

    assert says in str(raised.value)


def test_a_folder_without_an_encoder_is_refused_with_the_accepted_forms(tmp_path):
    with pytest.raises(BadInput, match=r"cannot be loaded.*'packaged:minilm'.*a local folder.*a hub name"):
        load_encoder(str(tmp_path))


def test_a_hub_name_is_looked_up_in_the_cache_before_the_network(monkeypatch):
    asked = []

    def offline(source, local_files_only, trust_remote_code):
        asked.append((source, local_files_only))
        raise OSError("We couldn't connect")

    monkeypatch.setattr(AutoConfig, "from_pretrained", offline)

    with pytest.raises(BadInput, match=r"'some/encoder' cannot be loaded: We couldn't connect Use 'packaged:minilm'"):
        load_encoder("some/encoder")
    assert asked == [("some/encoder", True), ("some/encoder", False)]


def test_an_encoder_with_weights_missing_is_refused(tmp_path, tiny_folder):
    encoder, tokenizer = load_encoder(str(tiny_folder))
    weights = {name: values for name, values in encoder.state_dict().items() if "attention" not in name}
    encoder.save_pretrained(tmp_path, state_dict=weights)
    tokenizer.save_pretrained(tmp_path)

    with pytest.raises(BadInput, match=r"has no weights for .*attention.*, so it is not pretrained"):
        load_encoder(str(tmp_path))


def test_a_skeleton_keeps_shapes_and_tokenizer_and_the_random_generator(tmp_path, tiny_folder):
    encoder, tokenizer = load_encoder(str(tiny_folder))
    save_skeleton(encoder, tokenizer, tmp_path)
    torch.manual_seed(0)
    expected = torch.rand(1)

    torch.manual_seed(0)
    rebuilt, again = load_skeleton(tmp_path)

    assert torch.equal(torch.rand(1), expected)
    assert not list(tmp_path.glob("*.safetensors"))
    assert {name: values.shape for name, values in rebuilt.state_dict().items()} == {
        name: values.shape for name, values in encoder.state_dict().items()
    }
    assert again("night nurse")["input_ids"] == tokenizer("night nurse")["input_ids"]
