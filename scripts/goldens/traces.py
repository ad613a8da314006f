"""Twenty steps of each recipe in PyTorch, float64: python traces.py INPUTS.json OUT.json

The inputs (scripts/goldens/trace-inputs.ts tabular) give configs, data, batches and sampled tokens. Everything else is done here,
with autograd and torch.optim.AdamW: losses, advantages, KL, schedules, clipping, the adaptive KL price.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


class Table(torch.nn.Module):
    """One row of parameters for each state, which is the tokens so far."""

    def __init__(self, width, rows, states):
        super().__init__()
        self.at = {state: i for i, state in enumerate(sorted(set(rows) | set(states)))}
        weight = torch.zeros(len(self.at), width)
        for state, row in rows.items():
            weight[self.at[state]] = torch.tensor(row)
        self.weight = torch.nn.Parameter(weight)

    def rows(self, states):
        return self.weight[[self.at[s] for s in states]]


def key(tokens):
    return " ".join(map(str, tokens))


def prefixes(sequence, start):
    return [key(sequence[:n]) for n in range(start, len(sequence))]


def logprobs_and_entropy(table, sequence, start, temperature=1.0):
    logp = torch.log_softmax(table.rows(prefixes(sequence, start)) / temperature, -1)
    targets = torch.tensor(sequence[start:])
    return logp.gather(1, targets[:, None])[:, 0], -(logp.exp() * logp).sum(-1)


def rate(step, of, c):
    if step < c["warmupSteps"]:
        return (step + 1) / c["warmupSteps"]
    done = (step - c["warmupSteps"]) / (of - 1 - c["warmupSteps"])
    left = 1 - done if c["schedule"] == "linear" else (1 + math.cos(math.pi * done)) / 2
    return c["floor"] + (1 - c["floor"]) * left


def adamw(parameters, c, decay):
    return torch.optim.AdamW(parameters, lr=0.0, betas=(c["beta1"], c["beta2"]), eps=c["epsilon"], weight_decay=decay)


def update(optimizer, parameters, learning_rate, clip):
    norm = torch.nn.utils.clip_grad_norm_(parameters, clip)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.step()
    optimizer.zero_grad()
    return norm.item()


def all_states(passes, extra=()):
    sequences = [s for p in passes for group in p for s in group] + list(extra)
    return [key(s[:n]) for s in sequences for n in range(1, len(s) + 1)]


def sft(inputs):
    c, start = inputs["config"], len(inputs["prompts"][0])
    policy = Table(inputs["vocab"], inputs["logits"], all_states(inputs["passes"]))
    optimizer = adamw(policy.parameters(), c, c["weightDecay"])
    trace = []
    for step in range(c["steps"]):
        groups = inputs["passes"][step]
        demonstrations, replay = groups[:c["batchSize"]], groups[c["batchSize"]:]
        nll = lambda part: -torch.cat([logprobs_and_entropy(policy, s, start)[0] for (s,) in part])
        own, general = nll(demonstrations), nll(replay)
        normaliser = own.numel() + c["replayWeight"] * general.numel()
        ((own.sum() + c["replayWeight"] * general.sum()) / normaliser).backward()
        norm = update(optimizer, policy.parameters(), c["learningRate"] * rate(step, c["steps"], c), c["clipNorm"])
        trace.append({"loss": own.mean().item(), "replayLoss": general.mean().item(), "norm": norm})
    return trace


def reward(inputs):
    c, start = inputs["config"], len(inputs["prompts"][0])
    scores = Table(1, {}, all_states(inputs["passes"], inputs["reference"]))
    optimizer = adamw(scores.parameters(), c, 0.0)
    of_prompt = {}
    for pair in inputs["pairs"]:
        of_prompt.setdefault(key(pair["prompt"]), []).append(pair)
    score = lambda pair, side: scores.rows([key(pair["prompt"] + pair[side])])[0, 0]
    trace = []
    for step in range(c["steps"]):
        loss, weights, right, decided = 0.0, 0.0, 0.0, 0
        for group in inputs["passes"][step]:
            pairs = of_prompt[key(group[0][:start])]
            for pair in pairs:
                a, b, w = score(pair, "a"), score(pair, "b"), pair["weight"] / len(pairs)
                q = pair["probability"] * (1 - c["labelSmoothing"]) + (1 - pair["probability"]) * c["labelSmoothing"]
                m = pair["margin"] * c["marginScale"]
                loss = loss + w * (-q * F.logsigmoid(a - b - m) - (1 - q) * F.logsigmoid(b - a - m) + c["centring"] * (a + b) ** 2)
                weights += w
                decided += 1
                difference = (a - b).item() * (1 if q > 0.5 else -1)
                right += 1 if difference > 0 else 0.5 if difference == 0 else 0
        loss = loss / weights
        loss.backward()
        norm = update(optimizer, scores.parameters(), c["headLearningRate"] * rate(step, c["steps"], c), c["clipNorm"])
        trace.append({"loss": loss.item(), "accuracy": right / decided, "headNorm": norm})
    final = scores.rows([key(s) for s in inputs["reference"]])[:, 0]
    trace[-1] |= {"affineMean": final.mean().item(), "affineScale": final.std(unbiased=False).item()}
    return trace


def dpo(inputs):
    c, start = inputs["config"], len(inputs["prompts"][0])
    states = all_states(inputs["passes"])
    policy, reference = (Table(inputs["vocab"], inputs["logits"], states) for _ in range(2))
    optimizer = adamw(policy.parameters(), c, c["weightDecay"])
    pair_of = {(key(p["prompt"] + p["a"]), key(p["prompt"] + p["b"])): p for p in inputs["pairs"]}
    trace = []
    for step in range(c["steps"]):
        losses, weights, chosen_logprobs, margins = [], [], [], []
        for a, b in inputs["passes"][step]:
            pair = pair_of[key(a), key(b)]
            log_a, log_b = (logprobs_and_entropy(policy, s, start)[0] for s in (a, b))
            with torch.no_grad():
                ref = [logprobs_and_entropy(reference, s, start)[0].sum() for s in (a, b)]
            h = c["beta"] * ((log_a.sum() - ref[0]) - (log_b.sum() - ref[1]))
            q = pair["probability"] * (1 - c["labelSmoothing"]) + (1 - pair["probability"]) * c["labelSmoothing"]
            chosen, sign = (log_a, 1) if pair["probability"] >= 0.5 else (log_b, -1)
            losses.append(-q * F.logsigmoid(h) - (1 - q) * F.logsigmoid(-h) - c["sftWeight"] * chosen.mean())
            weights.append(pair["weight"])
            chosen_logprobs.append(chosen.sum().item())
            margins.append(sign * h.item())
        w = torch.tensor(weights)
        loss = (w * torch.stack(losses)).sum() / w.sum()
        loss.backward()
        norm = update(optimizer, policy.parameters(), c["learningRate"] * rate(step, c["steps"], c), c["clipNorm"])
        mean = lambda values: sum(values) / len(values)
        trace.append({"loss": loss.item(), "chosenLogprob": mean(chosen_logprobs), "margin": mean(margins), "norm": norm})
    return trace


def ppo(inputs):
    c, start = inputs["config"], len(inputs["prompts"][0])
    states = all_states([], [s for step in inputs["rollouts"] for s in step])
    policy, reference = (Table(inputs["vocab"], inputs["logits"], states) for _ in range(2))
    values = Table(1, {}, states)
    policy_optimizer, value_optimizer = adamw(policy.parameters(), c, c["weightDecay"]), adamw(values.parameters(), c, 0.0)
    beta, passes, trace = c["beta"], iter(inputs["passes"]), []
    logprobs_of = lambda table, s: logprobs_and_entropy(table, s, start, c["temperature"])
    value_of = lambda s: values.rows(prefixes(s, start))[:, 0]
    for step in range(c["steps"]):
        rollouts = inputs["rollouts"][step]
        experience, returns, advantages = {}, [], []
        sums = {"score": 0.0, "kl": 0.0, "klK1": 0.0, "entropy": 0.0, "tokens": 0}
        with torch.no_grad():
            for s in rollouts:
                old, entropy = logprobs_of(policy, s)
                ref, old_values = logprobs_of(reference, s)[0], value_of(s)
                score = 2 * inputs["rewards"][key(s)]
                if s[-1] != 0:
                    score = min(score, 0) - c["missingEosPenalty"]
                rewards = -beta * (old - ref)
                rewards[-1] += score
                advantage, following, next_value = torch.zeros_like(old), 0.0, 0.0
                for t in reversed(range(len(old))):
                    following = rewards[t] + c["gamma"] * next_value - old_values[t] + c["gamma"] * c["lambda"] * following
                    advantage[t], next_value = following, old_values[t]
                advantages.append(advantage)
                returns.append(advantage + old_values)
                experience[key(s)] = [old, old_values, returns[-1]]
                ratio = torch.exp(ref - old)
                sums["score"] += score / len(rollouts)
                sums["kl"] += (ratio - 1 - (ref - old)).sum().item() / len(rollouts)
                sums["klK1"] += (old - ref).sum().item() / len(rollouts)
                sums["entropy"] += entropy.sum().item()
                sums["tokens"] += len(old)
            flat = torch.cat(advantages)
            mean, deviation = flat.mean(), torch.sqrt(flat.var(unbiased=False) + 1e-8)
            for s, advantage in zip(rollouts, advantages):
                experience[key(s)].append((advantage - mean) / deviation)
            errors = torch.cat([experience[key(s)][2] - experience[key(s)][1] for s in rollouts])
            explained = 1 - (errors.var(unbiased=False) / torch.cat(returns).var(unbiased=False)).item()
        figures = []
        for _ in range(c["updateEpochs"] * c["minibatches"]):
            sequences = [s for (s,) in next(passes)]
            old, old_values, target, advantage = (torch.cat([experience[key(s)][i] for s in sequences]) for i in range(4))
            now = torch.cat([value_of(s) for s in sequences])
            held = old_values + (now - old_values).clamp(-c["clipValue"], c["clipValue"])
            value_loss = 0.5 * torch.maximum((now - target) ** 2, (held - target) ** 2).mean()
            value_loss.backward()
            update(value_optimizer, values.parameters(), c["criticHeadLearningRate"] * rate(step, c["steps"], c), c["clipNorm"])
            figure = {"valueLoss": value_loss.item(), "policyLoss": 0.0, "clipFraction": 0.0, "approxKl": 0.0, "norm": 0.0}
            if step >= c["criticWarmupSteps"]:
                assert [s for (s,) in next(passes)] == sequences
                outputs = [logprobs_of(policy, s) for s in sequences]
                logprobs, entropies = (torch.cat([o[i] for o in outputs]) for i in range(2))
                ratio = torch.exp(logprobs - old)
                free, clipped = -advantage * ratio, -advantage * ratio.clamp(1 - c["clipRatio"], 1 + c["clipRatio"])
                policy_loss = (torch.maximum(free, clipped) - c["entropyBonus"] * entropies).mean()
                policy_loss.backward()
                share = rate(step - c["criticWarmupSteps"], c["steps"] - c["criticWarmupSteps"], c)
                norm = update(policy_optimizer, policy.parameters(), c["learningRate"] * share, c["clipNorm"])
                figure |= {
                    "policyLoss": policy_loss.item(),
                    "clipFraction": (clipped > free).double().mean().item(),
                    "approxKl": (ratio - 1 - (logprobs - old)).mean().item(),
                    "norm": norm,
                }
            figures.append(figure)
        row = {k: sum(f[k] for f in figures) / len(figures) for k in figures[0]}
        row |= {"score": sums["score"], "kl": sums["kl"], "klK1": sums["klK1"], "beta": beta}
        row |= {"entropy": sums["entropy"] / sums["tokens"], "explainedVariance": explained}
        trace.append(row)
        error = min(max(sums["kl"] / c["klTarget"] - 1, -0.2), 0.2)
        beta *= 1 + error * len(rollouts) / c["klHorizon"]
    return trace


with open(sys.argv[1]) as file:
    inputs = json.load(file)
out = {name: recipe(inputs[name]) for name, recipe in {"sft": sft, "reward": reward, "dpo": dpo, "ppo": ppo}.items()}
with open(sys.argv[2], "w") as file:
    json.dump(out, file, indent=1)
