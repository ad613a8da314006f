"""Expected ids and rendered templates of src/text, from Python's tokenizers and transformers.

    python scripts/goldens/tokenizer.py src/text/goldens

Reads inputs.json and tokenizer/tokenizer.json there (the latter written by src/text/train-bpe.test.ts with UPDATE_GOLDENS=1)
and writes expected.json: for each pre-tokenizer the ids and decoding of each text, for each template the rendering of each
conversation without and with a generation prompt, or null where it refuses.
"""
import json
import sys
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

folder = Path(sys.argv[1])
inputs = json.loads((folder / "inputs.json").read_text())
trained = json.loads((folder / "tokenizer/tokenizer.json").read_text())

ids, decoded = {}, {}
for name, pre_tokenizer in inputs["preTokenizers"].items():
    tokenizer = Tokenizer.from_str(json.dumps(trained | {"pre_tokenizer": pre_tokenizer}))
    ids[name] = [tokenizer.encode(text, add_special_tokens=False).ids for text in inputs["texts"]]
    decoded[name] = [tokenizer.decode(row, skip_special_tokens=False) for row in ids[name]]

fast = PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")


def render(template, conversation, add_generation_prompt):
    try:
        return fast.apply_chat_template(
            conversation, chat_template=template, tokenize=False, add_generation_prompt=add_generation_prompt
        )
    except Exception:
        return None


rendered = {
    name: [[render(template, c, prompt) for prompt in (False, True)] for c in inputs["conversations"]]
    for name, template in inputs["templates"].items()
}
versions = {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__}
expected = {"versions": versions, "ids": ids, "decoded": decoded, "rendered": rendered}
(folder / "expected.json").write_text(json.dumps(expected))
