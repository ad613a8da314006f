"""Loads with transformers what hone wrote and compares the numbers; fails beyond 1e-4 or on any key missing or left over.

usage: npx tsx scripts/goldens/write-for-check.ts OUT && python scripts/goldens/check_written.py OUT
"""
import json
import pathlib
import sys
import warnings

import peft
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification


def load_adapter(path: pathlib.Path, kind: type) -> torch.nn.Module:
    config = peft.PeftConfig.from_pretrained(path)
    more = dict(num_labels=2) if config.task_type == "SEQ_CLS" else {}
    base = kind.from_pretrained(config.base_model_name_or_path, attn_implementation="eager", dtype=torch.float32, **more)
    with warnings.catch_warnings(record=True) as said:
        model = peft.PeftModel.from_pretrained(base, path)
    assert not any("missing" in str(w.message).lower() for w in said), [str(w.message) for w in said]
    return model


def main(folder: pathlib.Path) -> None:
    worst = 0.0
    for path in sorted(p for p in folder.iterdir() if p.is_dir()):
        expected = json.loads((folder / f"{path.name}.json").read_text())
        tokens = torch.tensor([expected["tokens"]])
        kind = AutoModelForSequenceClassification if "scores" in expected else AutoModelForCausalLM
        if (path / "adapter_config.json").exists():
            model = load_adapter(path, kind)
        else:
            model, info = kind.from_pretrained(path, output_loading_info=True, attn_implementation="eager")
            assert not info["missing_keys"] and not info["unexpected_keys"], (path.name, info)
        with torch.no_grad():
            logits = model.eval()(tokens).logits
        if "scores" in expected:
            got = logits[0]
            want = torch.tensor(expected["scores"])
            assert "adapter" in path.name or [model.config.id2label[i] for i in range(2)] == ["helpful", "brief"]
        else:
            got = logits.log_softmax(-1)[0, :-1].gather(-1, tokens[0, 1:, None]).squeeze(-1)
            want = torch.tensor(expected["logprobs"])
        gap = (got - want).abs().max().item()
        worst = max(worst, gap)
        print(f"{path.name}: {type(model).__name__}, largest difference {gap:.2e}")
    assert worst < 1e-4, worst


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
