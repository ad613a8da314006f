"""transformers' side of bench/decode.ts: generate with a KV cache, SDPA attention, bfloat16; a static cache is tried too.
python bench/decode/transformers_step.py WORK
"""

import json
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM

work = json.loads(sys.argv[1])
torch.set_num_threads(work["threads"])
torch.manual_seed(1)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
model = AutoModelForCausalLM.from_pretrained(work["model"], attn_implementation="sdpa", dtype=torch.bfloat16).eval()
ids = torch.tensor([[100 + i + 7 * t for t in range(work["prompt"])] for i in range(work["batch"])])


def complete(most, cache):
    start = time.perf_counter()
    settings = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "use_cache": True}
    if cache:
        settings["cache_implementation"] = cache
    with torch.inference_mode():
        out = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=most,
            min_new_tokens=most,
            pad_token_id=0,
            disable_compile=True,
            **settings,
        )
    assert out.shape[1] == work["prompt"] + most
    return time.perf_counter() - start


best = None
for cache in [None, "static"]:
    complete(4, cache)
    for _ in range(2):
        short = complete(work["short"], cache)
        seconds = (complete(work["long"], cache) - short) / (work["long"] - work["short"])
        if best is None or seconds < best["seconds"]:
            best = {"seconds": seconds, "setting": f"generate, sdpa, {cache or 'dynamic'} cache"}
best["version"] = f"torch {torch.__version__}, transformers {transformers.__version__}"
print(json.dumps(best))
