"""Goldens of the losses from PyTorch autograd in float64: python losses.py OUT.json

Inputs are not stored: both sides draw them from the same linear congruential stream (seed, count, low, high), so the file
holds only losses and gradients. Cases named `extreme` carry their inputs.
"""
import json
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
N = 1024


def stream(seed, count, low, high):
    x, out = seed, []
    for _ in range(count):
        x = (1664525 * x + 1013904223) % 2**32
        out.append(low + (high - low) * x / 2**32)
    return out


def leaf(seed, low, high, count=N):
    return torch.tensor(stream(seed, count, low, high), requires_grad=True)


def fixed(seed, low, high, count=N):
    return torch.tensor(stream(seed, count, low, high))


def rounded(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


def bradley_terry(a, b, q, w, m, centring):
    d = a - b
    return (w * (-q * F.logsigmoid(d - m) - (1 - q) * F.logsigmoid(-d - m) + centring * (a + b) ** 2)).sum()


def with_ties(a, b, q, w, m, tie, bad, logit, model, bad_weight):
    rate = torch.sigmoid(logit)

    def log_chances(d):
        if model == "davidson":
            nu = (2 * rate / (1 - rate)).log().expand_as(d)
            return F.log_softmax(torch.stack([d / 2, -d / 2, nu]), 0)
        t = ((1 + rate) / (1 - rate)).log()
        first, second = torch.sigmoid(d - t), torch.sigmoid(-d - t)
        return torch.stack([first, second, 1 - first - second]).log()

    d, decided = a - b, 1 - tie - bad
    order = -decided * q * log_chances(d - m)[0] - decided * (1 - q) * log_chances(d + m)[1] - tie * log_chances(d)[2]
    both = torch.sigmoid(-a) * torch.sigmoid(-b)
    return (w * (order - bad_weight * (bad * both.log() + (1 - bad) * (1 - both).log()))).sum()


def dpo(log_a, log_b, ref_a, ref_b, q, w, beta, smoothing):
    h = beta * ((log_a - ref_a) - (log_b - ref_b))
    q = q * (1 - smoothing) + (1 - q) * smoothing
    return (w * (-q * F.logsigmoid(h) - (1 - q) * F.logsigmoid(-h))).sum()


def policy(logprobs, old, advantages, entropies, clip, bonus):
    ratio = torch.exp((logprobs - old).clamp(-20, 20))
    free = -advantages * ratio
    held = -advantages * ratio.clamp(1 - clip, 1 + clip)
    return (torch.maximum(free, held) - bonus * entropies).sum() / logprobs.numel()


def value(values, old, returns, clip):
    held = old + (values - old).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns) ** 2, (held - returns) ** 2).sum() / values.numel()


def case(loss, **leaves):
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    return {"loss": loss.item(), "gradient": {k: rounded(g) for k, g in zip(leaves, gradients)}}


out = {}
a, b = leaf(1, -3, 3), leaf(2, -3, 3)
out["bradleyTerry"] = case(bradley_terry(a, b, fixed(3, 0, 1), fixed(4, 0, 2), fixed(5, 0, 1), 0.01), a=a, b=b)

for seed, model in [(37, "davidson"), (47, "rao-kupper")]:
    a, b, logit = leaf(seed, -4, 4), leaf(seed + 1, -4, 4), torch.tensor([-0.8], requires_grad=True)
    known = fixed(seed + 2, 0, 1), fixed(seed + 3, 0, 2), fixed(seed + 4, 0, 1), fixed(seed + 5, 0, 0.5), fixed(seed + 6, 0, 0.5)
    out[model] = case(with_ties(a, b, *known, logit, model, 0.7), a=a, b=b, logit=logit)

a, b = leaf(6, -60, 0), leaf(7, -60, 0)
out["dpo"] = case(dpo(a, b, fixed(8, -60, 0), fixed(9, -60, 0), fixed(10, 0, 1), fixed(11, 0, 2), 0.1, 0.05), a=a, b=b)

logprobs, entropies = leaf(12, -4, 0), leaf(13, 0, 3)
out["policy"] = case(
    policy(logprobs, logprobs.detach() + fixed(14, -0.6, 0.6), fixed(15, -2, 2), entropies, 0.2, 0.01),
    logprobs=logprobs,
    entropies=entropies,
)

values = leaf(16, -2, 2)
out["value"] = case(value(values, values.detach() + fixed(17, -0.5, 0.5), fixed(18, -3, 3), 0.2), values=values)

# Supervised: cross-entropy over 7 logits, weighted by token, as a function of the log-probability of the target.
logits, weights = fixed(19, -5, 5, 7 * N).reshape(N, 7), fixed(20, 0, 2)
targets = (fixed(21, 0, 7)).long()
logprobs = torch.log_softmax(logits, -1).gather(1, targets[:, None])[:, 0].detach().requires_grad_()
loss = (F.cross_entropy(logits, targets, reduction="none") * weights).sum() / weights.sum()
out["sft"] = {"loss": loss.item(), **{k: v for k, v in case(-(logprobs * weights).sum() / weights.sum(), logprobs=logprobs).items() if k == "gradient"}}

d = fixed(22, -2, 2)
out["kl"] = {"k1": d.sum().item(), "k2": (d**2 / 2).sum().item(), "k3": (torch.exp(-d) - 1 + d).sum().item()}

rewards, values, gamma, lam = fixed(23, -1, 1), fixed(24, -1, 1), 0.99, 0.95
advantages, following, next_value = torch.zeros(N), 0.0, 0.7
for t in reversed(range(N)):
    following = rewards[t] + gamma * next_value - values[t] + gamma * lam * following
    advantages[t], next_value = following, values[t]
whitened = (advantages - advantages.mean()) / torch.sqrt(advantages.var(unbiased=False) + 1e-8)
out["gae"] = {"advantages": rounded(advantages), "whitened": rounded(whitened)}

extremes = [-1e4, -50.0, -1e-9, 0.0, 1e-9, 50.0, 1e4]
pairs = [(x, y) for x in extremes for y in extremes]
a = torch.tensor([x for x, _ in pairs], requires_grad=True)
b = torch.tensor([y for _, y in pairs], requires_grad=True)
q, one, zero = torch.full((len(pairs),), 0.9), torch.ones(len(pairs)), torch.zeros(len(pairs))
out["extreme"] = {
    "a": [x for x, _ in pairs],
    "b": [y for _, y in pairs],
    "bradleyTerry": case(bradley_terry(a, b, q, one, zero, 0.0), a=a, b=b),
    "dpo": case(dpo(a, b, zero, zero, q, one, 1.0, 0.0), a=a, b=b),
    "policy": case(policy(a, b.detach(), one, zero, 0.2, 0.0), logprobs=a),
    "value": case(value(a, b.detach(), zero, 0.2), values=a),
}

with open(sys.argv[1], "w") as file:
    json.dump(out, file)
