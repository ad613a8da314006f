"""Tiny folders of every family with odd shapes, and what transformers computes on them: logits, gradients, continuations.

usage: python scripts/goldens/families.py src/lm/goldens/families [NAME ...]
Writes <name>/{config.json,model.safetensors,generation_config.json} and <name>.json for each configuration. Float32, eager
attention. Weights are rounded to bfloat16, so that they need half the bytes; the mathematics is float32.
"""
import copy
import json
import pathlib
import sys

import torch
import transformers as tf
from safetensors.torch import load_file, save_file

V = 47
SIZES = dict(vocab_size=V, hidden_size=24, intermediate_size=28, num_hidden_layers=3, num_attention_heads=6,
             num_key_value_heads=2, head_dim=6, max_position_embeddings=96)
IDS = dict(bos_token_id=1, eos_token_id=[2, 5], pad_token_id=0)
LONG = [round(1.5 + 0.5 * i, 3) for i in range(8)]

# name: (config class, model class, settings)
FAMILIES = {
    "llama-biases": (tf.LlamaConfig, tf.LlamaForCausalLM, dict(
        SIZES, attention_bias=True, mlp_bias=True, tie_word_embeddings=True, hidden_act="gelu",
        rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=24))),
    "llama-yarn-scales": (tf.LlamaConfig, tf.LlamaForCausalLM, dict(
        SIZES, num_attention_heads=3, num_key_value_heads=3, rope_parameters=dict(
            rope_type="yarn", rope_theta=300.0, factor=3.0, original_max_position_embeddings=32, beta_fast=16.0,
            beta_slow=2.0, mscale=0.8, mscale_all_dim=0.5, truncate=False))),
    "llama-dynamic": (tf.LlamaConfig, tf.LlamaForCausalLM, dict(
        SIZES, max_position_embeddings=16, rope_parameters=dict(rope_type="dynamic", rope_theta=100.0, factor=4.0))),
    "mistral": (tf.MistralConfig, tf.MistralForCausalLM, dict(
        SIZES, sliding_window=7, rope_parameters=dict(rope_type="default", rope_theta=1000.0))),
    "mistral-no-window": (tf.MistralConfig, tf.MistralForCausalLM, dict(
        SIZES, num_attention_heads=4, num_key_value_heads=1, head_dim=10, sliding_window=None)),
    "qwen2": (tf.Qwen2Config, tf.Qwen2ForCausalLM, dict(
        {k: v for k, v in SIZES.items() if k != "head_dim"}, hidden_size=36, use_sliding_window=True, sliding_window=5,
        max_window_layers=1, tie_word_embeddings=True)),
    "qwen3": (tf.Qwen3Config, tf.Qwen3ForCausalLM, dict(
        SIZES, hidden_size=20, attention_bias=True, num_attention_heads=5, num_key_value_heads=1, head_dim=10,
        rope_parameters=dict(rope_type="default", rope_theta=1e6))),
    "gemma2": (tf.Gemma2Config, tf.Gemma2ForCausalLM, dict(
        SIZES, hidden_size=24, sliding_window=6, query_pre_attn_scalar=9, attn_logit_softcapping=4.0,
        final_logit_softcapping=3.0)),
    "gemma3": (tf.Gemma3TextConfig, tf.Gemma3ForCausalLM, dict(
        SIZES, hidden_size=24, num_hidden_layers=4, sliding_window=6, query_pre_attn_scalar=11,
        layer_types=["sliding_attention", "sliding_attention", "full_attention", "sliding_attention"],
        rope_parameters=dict(full_attention=dict(rope_type="linear", rope_theta=5000.0, factor=2.0),
                             sliding_attention=dict(rope_type="default", rope_theta=50.0)))),
    "phi3": (tf.Phi3Config, tf.Phi3ForCausalLM, dict(
        {k: v for k, v in SIZES.items() if k != "head_dim"}, hidden_size=72, num_attention_heads=6, sliding_window=9,
        resid_pdrop=0.1)),
    "phi3-longrope": (tf.Phi3Config, tf.Phi3ForCausalLM, dict(
        {k: v for k, v in SIZES.items() if k != "head_dim"}, hidden_size=40, num_attention_heads=2,
        num_key_value_heads=1, original_max_position_embeddings=24, partial_rotary_factor=0.6,
        rope_parameters=dict(rope_type="longrope", rope_theta=1000.0, partial_rotary_factor=0.6,
                             short_factor=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5], long_factor=LONG[:6],
                             original_max_position_embeddings=24))),
    "olmo2": (tf.Olmo2Config, tf.Olmo2ForCausalLM, dict(
        {k: v for k, v in SIZES.items() if k != "head_dim"}, hidden_size=36, attention_bias=True)),
    "gpt-neox": (tf.GPTNeoXConfig, tf.GPTNeoXForCausalLM, dict(
        vocab_size=V, hidden_size=36, intermediate_size=44, num_hidden_layers=2, num_attention_heads=3,
        max_position_embeddings=64, rope_parameters=dict(rope_type="default", rope_theta=10000.0,
                                                         partial_rotary_factor=0.5))),
    "gpt-neox-serial": (tf.GPTNeoXConfig, tf.GPTNeoXForCausalLM, dict(
        vocab_size=V, hidden_size=24, intermediate_size=20, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=64, use_parallel_residual=False, hidden_act="gelu_new", attention_bias=False,
        tie_word_embeddings=True, rope_parameters=dict(rope_type="linear", rope_theta=100.0, factor=1.5,
                                                       partial_rotary_factor=1.0))),
    "gpt2": (tf.GPT2Config, tf.GPT2LMHeadModel, dict(
        vocab_size=V, n_embd=30, n_layer=2, n_head=5, n_positions=64)),
    "gpt2-odd": (tf.GPT2Config, tf.GPT2LMHeadModel, dict(
        vocab_size=V, n_embd=24, n_layer=3, n_head=3, n_positions=64, n_inner=34, activation_function="relu",
        scale_attn_weights=False, scale_attn_by_inverse_layer_idx=True)),
}


def rounded(values, digits=5):
    return [round(v, digits) for v in values]


def key_gradients(model, saved):
    """Parameters under the keys of the file: that of the same values."""
    for name, parameter in model.named_parameters():
        twins = [k for k, v in saved.items() if v.shape == parameter.shape and torch.equal(v, parameter)]
        yield (name if name in saved else twins[0]), parameter


def main(folder: pathlib.Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, (config_class, model_class, settings)) in enumerate(FAMILIES.items()):
        if names and name not in names:
            continue
        torch.manual_seed(seed)
        config = config_class(**settings, **IDS)
        config._attn_implementation = "eager"
        model = model_class(config).float().eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                # Wide weights, so that a wrong detail moves the logits by far more than the tolerance.
                parameter.add_(torch.randn_like(parameter) * (0.1 if parameter.dim() == 1 else 0.4))
                parameter.copy_(parameter.bfloat16().float())
        model.save_pretrained(folder / name)
        # Keys as transformers writes them, which are not always those of its modules.
        saved = load_file(folder / name / "model.safetensors")
        state = {k: v.bfloat16().contiguous() for k, v in saved.items()}
        save_file(state, folder / name / "model.safetensors", {"format": "pt"})

        # No pad token: torch gives its embedding no gradient.
        tokens = torch.randint(1, V, (2, 40))
        logits = model(tokens).logits
        logprobs = logits.log_softmax(-1)[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1)
        # The gradient of a loss with an irregular coefficient for each token.
        coefficients = torch.cos(torch.arange(2 * 39).float()).view(2, 39) / 39
        (-(coefficients * logprobs).sum()).backward()
        with torch.no_grad():
            # How far float32 itself is from the truth here.
            exact = copy.deepcopy(model).double()(tokens).logits.log_softmax(-1)
            rounding = (logprobs - exact[:, :-1].gather(-1, tokens[:, 1:, None]).squeeze(-1)).abs().max().item()
            prompt = tokens[:1, :7]
            greedy = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=30, do_sample=False,
                                    eos_token_id=None, pad_token_id=0)[0, 7:]
            # Teacher forcing over the greedy continuation, step by step with the cache, as the sampler goes.
            golden = {
                "transformers": tf.__version__,
                "tokens": tokens.tolist(),
                "logprobs": [rounded(row) for row in logprobs.tolist()],
                "rounding": float(f"{rounding:.2g}"),
                "lastLogits": [rounded(row) for row in logits[:, -1].tolist()],
                "gradients": {k: [round(p.grad.double().norm().item(), 6),
                                  round((p.grad.double().flatten() @ torch.cos(torch.arange(p.numel()).double())).item(), 6)]
                              for k, p in key_gradients(model, saved)},
                "prompt": prompt[0].tolist(),
                "greedy": greedy.tolist(),
            }
        (folder / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
        print(name, sum(p.numel() for p in model.parameters()), "parameters; greedy", golden["greedy"][:8],
              "logits", round(logits.std().item(), 2))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
