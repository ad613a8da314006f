"""PyTorch and transformers in the race, at a reasonable best: SDPA attention, fused AdamW where there is one, logits of
trained tokens only, and whichever of padded rows, rows sorted by length in halves, and one packed row is the fastest.
Left out: torch.compile, whose compile time no short run earns back.
python bench/peers/peer.py train|sample WORK.json
"""

import json
import resource
import sys
import time

import torch
import transformers
from transformers import AutoModelForCausalLM


def memory():
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def rate(seconds, work):
    """How much `work` does a second of the wall clock and a CPU second; the first call warms up."""
    work()
    cpu, start, done = time.process_time(), time.perf_counter(), 0
    while time.perf_counter() - start < seconds:
        done += work()
    return done / (time.perf_counter() - start), done / (time.process_time() - cpu)


def padded(rows):
    """One batch [B, T] padded to its longest row, its mask, and the places that are trained."""
    longest = max(len(row["tokens"]) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    places, targets = [], []
    for i, row in enumerate(rows):
        tokens = row["tokens"]
        ids[i, : len(tokens)] = torch.tensor(tokens)
        mask[i, : len(tokens)] = 1
        for t in range(row["scoredFrom"], len(tokens)):
            places.append(i * longest + t - 1)
            targets.append(tokens[t])
    return {"input_ids": ids, "attention_mask": mask}, torch.tensor(places), torch.tensor(targets)


def packed(rows):
    """All rows in one, with positions of each row's own and a block-diagonal causal mask."""
    total = sum(len(row["tokens"]) for row in rows)
    ids, positions, places, targets = [], [], [], []
    mask = torch.zeros(1, 1, total, total, dtype=torch.bool)
    for row in rows:
        tokens, start = row["tokens"], len(ids)
        n = len(tokens)
        mask[0, 0, start : start + n, start : start + n] = torch.ones(n, n, dtype=torch.bool).tril()
        for t in range(row["scoredFrom"], n):
            places.append(start + t - 1)
            targets.append(tokens[t])
        ids += tokens
        positions += range(n)
    inputs = {"input_ids": torch.tensor([ids]), "position_ids": torch.tensor([positions]), "attention_mask": mask}
    return inputs, torch.tensor(places), torch.tensor(targets)


def halves(rows):
    ordered = sorted(rows, key=lambda row: len(row["tokens"]))
    return [padded(ordered[: len(rows) // 2]), padded(ordered[len(rows) // 2 :])]


LAYOUTS = {"padded": lambda rows: [padded(rows)], "sorted halves": halves, "packed": lambda rows: [packed(rows)]}


def make_step(model, optimizer, batches, layout):
    """Layouts are made beforehand: only arithmetic is raced."""
    made = [(LAYOUTS[layout](rows), rows) for rows in batches]
    losses = []

    def step():
        parts, rows = made[len(losses) % len(made)]
        scored = sum(len(targets) for _, _, targets in parts)
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for inputs, places, targets in parts:
            hidden = model.model(**inputs, use_cache=False).last_hidden_state.flatten(0, 1)[places]
            loss = torch.nn.functional.cross_entropy(model.lm_head(hidden), targets, reduction="sum") / scored
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
        optimizer.step()
        losses.append(total)
        return sum(len(row["tokens"]) for row in rows)

    return step, losses


def load(work):
    return AutoModelForCausalLM.from_pretrained(work["model"], attn_implementation="sdpa", dtype=torch.float32)


def train(work):
    best = None
    for layout in LAYOUTS:
        model = load(work).train()
        decayed = [p for p in model.parameters() if p.dim() > 1]
        rest = [p for p in model.parameters() if p.dim() <= 1]
        groups = [{"params": decayed, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(groups, lr=1e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)
        step, losses = make_step(model, optimizer, work["batches"], layout)
        start = memory()
        wall, cpu = rate(work["seconds"] if best is None else work["seconds"] / 2, step)
        if best is None or cpu > best["perCpuSecond"]:
            best = {"setting": f"{layout}, fused AdamW", "perSecond": wall, "perCpuSecond": cpu}
            best |= {"firstLoss": losses[0], "startMemoryBytes": start}
        if layout == "padded":
            # Later layouts would add to the peak of a process that holds them all.
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return best | {"peakMemoryBytes": peak}


def sample(work):
    model = load(work).eval()
    longest = max(map(len, work["prompts"]))
    ids = torch.tensor([[0] * (longest - len(p)) + p for p in work["prompts"]])
    mask = torch.tensor([[0] * (longest - len(p)) + [1] * len(p) for p in work["prompts"]])
    new = work["newTokens"]
    start = memory()

    def once():
        with torch.inference_mode():
            out = model.generate(
                ids,
                attention_mask=mask,
                do_sample=True,
                temperature=1.0,
                top_k=0,
                top_p=1.0,
                use_cache=True,
                max_new_tokens=new,
                eos_token_id=None,
                pad_token_id=0,
            )
        return (out.shape[1] - longest) * len(ids)

    wall, cpu = rate(work["seconds"], once)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    answer = {"setting": "KV cache, 64 rows", "perSecond": wall, "perCpuSecond": cpu}
    return answer | {"startMemoryBytes": start, "peakMemoryBytes": peak}


what, file = sys.argv[1:]
with open(file) as f:
    given = json.load(f)
torch.set_num_threads(given["threads"])
torch.manual_seed(1)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
found = train(given) if what == "train" else sample(given)
ones = torch.ones(1024, 1024)


def multiply():
    torch.mm(ones, ones)
    return 2 * 1024**3


found["matmulPerCpuSecond"] = rate(1, multiply)[1]
found["version"] = f"torch {torch.__version__}, transformers {transformers.__version__}"
print(json.dumps(found))
