"""Adapters by PEFT on the tiny families, and what PEFT computes with them: log-probabilities, scores, gradients, merged.

usage: python scripts/goldens/adapters.py src/lm/goldens/families src/lm/goldens/adapters
Writes <name>/{adapter_config.json,adapter_model.safetensors} over ../../families/<base>, and <name>.json.
"""
import json
import pathlib
import sys

import peft
import torch
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

TOKENS = [5, 17, 3, 44, 8, 21, 30, 2, 11, 40, 19, 7]

# name: (base, LoRA settings)
ADAPTERS = {
    "llama-all": ("llama-biases", dict(r=3, lora_alpha=7, target_modules="all-linear")),
    "qwen2-some": ("qwen2", dict(r=2, lora_alpha=4, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"])),
    "mistral-ends": ("mistral-no-window", dict(r=4, lora_alpha=8,
                                               target_modules=["k_proj", "up_proj", "lm_head", "embed_tokens"])),
    "phi3-fused": ("phi3", dict(r=2, lora_alpha=2, target_modules=["qkv_proj", "gate_up_proj", "o_proj"])),
    "neox-fused": ("gpt-neox", dict(r=2, lora_alpha=6, target_modules=["query_key_value", "dense_4h_to_h"])),
    "gpt2-conv": ("gpt2", dict(r=2, lora_alpha=3, target_modules=["c_attn", "c_proj"], fan_in_fan_out=True)),
    "llama-reward": ("llama-yarn-scales", dict(r=2, lora_alpha=4, target_modules=["q_proj", "o_proj"],
                                               task_type="SEQ_CLS")),
}


def main(families: pathlib.Path, folder: pathlib.Path) -> None:
    for seed, (name, (base, settings)) in enumerate(ADAPTERS.items()):
        torch.manual_seed(seed)
        is_reward = settings.get("task_type") == "SEQ_CLS"
        kind = AutoModelForSequenceClassification if is_reward else AutoModelForCausalLM
        more = dict(num_labels=1) if is_reward else {}
        model = kind.from_pretrained(families / base, attn_implementation="eager", dtype=torch.float32, **more).eval()
        config = peft.LoraConfig(**{"task_type": "CAUSAL_LM", **settings})
        adapted = peft.get_peft_model(model, config)
        with torch.no_grad():
            for key, parameter in adapted.named_parameters():
                if parameter.requires_grad:
                    parameter.copy_(torch.randn_like(parameter) * 0.3)
        adapted.save_pretrained(folder / name)
        (folder / name / "README.md").unlink(missing_ok=True)
        file = folder / name / "adapter_config.json"
        written = json.loads(file.read_text())
        written["base_model_name_or_path"] = f"../../families/{base}"
        written["target_modules"] = sorted(written["target_modules"])
        file.write_text(json.dumps(written, indent=1) + "\n")
        tokens = torch.tensor([TOKENS])
        logits = adapted(tokens).logits
        golden = {"peft": peft.__version__, "base": base, "tokens": TOKENS}
        if is_reward:
            golden["scores"] = [round(v, 6) for v in logits[0].tolist()]
            logits.sum().backward()
        else:
            logprobs = logits.log_softmax(-1)[0, :-1].gather(-1, tokens[0, 1:, None]).squeeze(-1)
            golden["logprobs"] = [round(v, 6) for v in logprobs.tolist()]
            (torch.cos(torch.arange(11.0)) * logprobs).sum().backward()
        golden["gradients"] = {k.replace(".default", "").replace(".modules_to_save", ""): round(p.grad.double().norm().item(), 6)
                               for k, p in adapted.named_parameters() if p.requires_grad and p.grad is not None}
        (folder / f"{name}.json").write_text(json.dumps(golden) + "\n")
        print(name, sorted(written["target_modules"]), len(golden["gradients"]))


if __name__ == "__main__":
    main(*(pathlib.Path(p) for p in sys.argv[1:3]))
