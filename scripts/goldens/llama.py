"""Tiny Llama folders with odd shapes, and what transformers computes on them: logits, greedy continuations.

usage: python scripts/goldens/llama.py src/lm/goldens
Writes <name>/{config.json,model.safetensors} and <name>.json for each configuration. Float32, eager attention.
"""
import json
import pathlib
import sys

import torch
from transformers import LlamaConfig, LlamaForCausalLM

CONFIGS = {
    "grouped-tied": dict(
        vocab_size=61, hidden_size=36, intermediate_size=52, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, max_position_embeddings=96, rms_norm_eps=1e-6, tie_word_embeddings=True,
        rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.5},
    ),
    "untied-llama3": dict(
        vocab_size=53, hidden_size=40, intermediate_size=36, num_hidden_layers=2, num_attention_heads=5,
        num_key_value_heads=1, head_dim=12, max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=False,
        rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                         "high_freq_factor": 4.0, "original_max_position_embeddings": 32},
    ),
    "wide-heads": dict(
        vocab_size=47, hidden_size=24, intermediate_size=44, num_hidden_layers=3, num_attention_heads=3,
        num_key_value_heads=3, head_dim=16, max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 100.0},
    ),
}


def main(folder: pathlib.Path) -> None:
    for seed, (name, settings) in enumerate(CONFIGS.items()):
        torch.manual_seed(seed)
        config = LlamaConfig(**settings, bos_token_id=1, eos_token_id=2, attn_implementation="eager")
        model = LlamaForCausalLM(config).float().eval()
        with torch.no_grad():
            for parameter in model.parameters():
                # Wide weights, so that a wrong detail moves the logits by far more than the tolerance.
                parameter.add_(torch.randn_like(parameter) * (0.1 if parameter.dim() == 1 else 0.25))
        model.save_pretrained(folder / name)
        (folder / name / "generation_config.json").unlink(missing_ok=True)
        tokens = torch.randint(0, settings["vocab_size"], (2, 40))
        with torch.no_grad():
            logits = model(tokens).logits
            prompt = tokens[:1, :7]
            greedy = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=20, do_sample=False,
                                    eos_token_id=None, pad_token_id=0)[0, 7:]
        golden = {
            "transformers": __import__("transformers").__version__,
            "tokens": tokens.tolist(),
            "logprobs": [[round(v, 6) for v in row] for row in
                         logits.log_softmax(-1)[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1).tolist()],
            "lastLogits": [[round(v, 6) for v in row] for row in logits[:, -1].tolist()],
            "prompt": prompt[0].tolist(),
            "greedy": greedy.tolist(),
        }
        (folder / f"{name}.json").write_text(json.dumps(golden) + "\n")
        print(name, sum(p.numel() for p in model.parameters()), "parameters; greedy", golden["greedy"][:8])


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
