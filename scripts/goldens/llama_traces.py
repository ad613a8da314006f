"""Twenty steps of each recipe on a tiny Llama in PyTorch: python llama_traces.py MODEL INPUTS.json OUT.json

MODEL is a Hugging Face folder; the inputs (trace-inputs.ts llama) give configs, fresh heads, the batches of each pass
and the completions that PPO drew. The rest is done here in float32, one sequence at a time without packing or shared
prompts: transformers' Llama, autograd, torch.optim.AdamW, losses, advantages, KL, schedules, clipping, the KL price.
Left out are figures that are small differences of large ones (DPO's margin, k1): float32 does not hold them to 1e-4.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F
from transformers import LlamaForCausalLM

FIRST_WORD = 3  # tokens below it end a completion
VOCABULARY = 61


class Tiny(torch.nn.Module):
    """A Llama with, where asked for, a linear score head or a value head of one hidden layer on its last states."""

    def __init__(self, heads=None):
        super().__init__()
        self.llama = LlamaForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32, attn_implementation="eager")
        self.heads = {}
        for key, head in (heads or {}).items():
            values = torch.tensor(head["values"], dtype=torch.float32)
            self.heads[key] = torch.nn.Parameter(values.reshape(head["shape"]))
        self.start = {key: tensor.detach().clone() for key, tensor in self.tensors().items()}

    def tensors(self):
        return dict(self.llama.named_parameters()) | self.heads

    def states(self, tokens):
        return self.llama.model(torch.tensor([tokens])).last_hidden_state[0]

    def logprobs_and_entropies(self, sequence, temperature=1.0):
        """Of the tokens after the prompt."""
        tokens, prompt = sequence["tokens"], sequence["prompt"]
        before = self.states(tokens)[prompt - 1:-1]
        logp = torch.log_softmax(self.llama.lm_head(before) / temperature, -1)
        return logp.gather(1, torch.tensor(tokens[prompt:])[:, None])[:, 0], -(logp.exp() * logp).sum(-1)

    def logprobs(self, sequence):
        return self.logprobs_and_entropies(sequence)[0]

    def score(self, tokens):
        return (self.states(tokens)[-1:] @ self.heads["score.weight"].T)[0, 0]

    def values(self, sequence):
        before = self.states(sequence["tokens"])[sequence["prompt"] - 1:-1]
        hidden = torch.tanh(F.linear(before, self.heads["value.0.weight"], self.heads["value.0.bias"]))
        return F.linear(hidden, self.heads["value.1.weight"], self.heads["value.1.bias"])[:, 0]


class Optimizer:
    """AdamW for the body and for the heads: each has a norm to clip and a rate; only matrices of the body decay."""

    def __init__(self, model, c):
        body = list(model.llama.parameters())
        self.clip, self.body, self.heads = c["clipNorm"], body, list(model.heads.values())
        kinds = [([p for p in body if p.dim() == 2], c["weightDecay"]), ([p for p in body if p.dim() < 2], 0.0)]
        settings = dict(lr=0.0, betas=(c["beta1"], c["beta2"]), eps=c["epsilon"])
        of = lambda kinds: torch.optim.AdamW([dict(params=p, weight_decay=d) for p, d in kinds], **settings)
        self.of_body = of(kinds)
        self.of_heads = of([(self.heads, 0.0)]) if self.heads else None

    def step(self, body_rate, heads_rate=0.0):
        norm = self.update(self.of_body, self.body, body_rate)
        return norm, self.of_heads and self.update(self.of_heads, self.heads, heads_rate)

    def update(self, optimizer, parameters, rate):
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.clip).item()
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        optimizer.zero_grad()
        return norm


def share_of_rate(step, of, c):
    if step < c["warmupSteps"]:
        return (step + 1) / c["warmupSteps"]
    done = (step - c["warmupSteps"]) / (of - 1 - c["warmupSteps"])
    left = 1 - done if c["schedule"] == "linear" else (1 + math.cos(math.pi * done)) / 2
    return c["floor"] + (1 - c["floor"]) * left


def weights(**models):
    """For each tensor: its norm at the end, and the norm of what was added to it."""
    return {
        role: {
            key: {"norm": tensor.norm().item(), "moved": (tensor - model.start[key]).norm().item()}
            for key, tensor in model.tensors().items()
        }
        for role, model in models.items()
    }


def key(tokens):
    return " ".join(map(str, tokens))


def mean(values):
    return sum(values) / len(values)


def smoothed(probability, c):
    return probability * (1 - c["labelSmoothing"]) + (1 - probability) * c["labelSmoothing"]


def sft(inputs):
    c, model = inputs["config"], Tiny()
    optimizer, trace = Optimizer(model, c), []
    for step in range(c["steps"]):
        batch = [sequence for (sequence,) in inputs["passes"][step]]
        nll = lambda part: -torch.cat([model.logprobs(s) for s in part])
        own, general = nll(batch[:c["batchSize"]]), nll(batch[c["batchSize"]:])
        loss = own.sum() + c["replayWeight"] * general.sum()
        (loss / (own.numel() + c["replayWeight"] * general.numel())).backward()
        norm, _ = optimizer.step(c["learningRate"] * share_of_rate(step, c["steps"], c))
        trace.append({"loss": own.mean().item(), "replayLoss": general.mean().item(), "norm": norm})
    return {"trace": trace, "weights": weights(model=model)}


def reward(inputs):
    c, model = inputs["config"], Tiny(inputs["heads"])
    optimizer, trace = Optimizer(model, c), []
    for step in range(c["steps"]):
        losses, pair_weights, right = [], [], []
        for group in inputs["passes"][step]:
            prompt = group[0]["tokens"][:group[0]["prompt"]]
            pairs = [pair for pair in inputs["pairs"] if pair["prompt"] == prompt]
            for pair in pairs:
                a, b = (model.score(prompt + pair[side]) for side in "ab")
                q, margin = smoothed(pair["probability"], c), pair["margin"] * c["marginScale"]
                likelihood = q * F.logsigmoid(a - b - margin) + (1 - q) * F.logsigmoid(b - a - margin)
                losses.append(c["centring"] * (a + b) ** 2 - likelihood)
                pair_weights.append(pair["weight"] / len(pairs))
                right.append(((a - b).item() > 0) == (q > 0.5))
        w = torch.tensor(pair_weights)
        loss = (w * torch.stack(losses)).sum() / w.sum()
        loss.backward()
        share = share_of_rate(step, c["steps"], c)
        norm, head_norm = optimizer.step(c["learningRate"] * share, c["headLearningRate"] * share)
        trace.append({"loss": loss.item(), "accuracy": mean(right), "norm": norm, "headNorm": head_norm})
    with torch.no_grad():
        final = torch.stack([model.score(tokens) for tokens in inputs["reference"]])
    trace[-1] |= {"affineMean": final.mean().item(), "affineScale": final.std(unbiased=False).item()}
    return {"trace": trace, "weights": weights(model=model)}


def dpo(inputs):
    c, model, reference = inputs["config"], Tiny(), Tiny()
    optimizer, trace = Optimizer(model, c), []
    pair_of = {(key(p["prompt"] + p["a"]), key(p["prompt"] + p["b"])): p for p in inputs["pairs"]}
    for step in range(c["steps"]):
        losses, pair_weights, chosen_logprobs = [], [], []
        for group in inputs["passes"][step]:
            pair = pair_of[tuple(key(s["tokens"]) for s in group)]
            a, b = (model.logprobs(s) for s in group)
            with torch.no_grad():
                reference_a, reference_b = (reference.logprobs(s).sum() for s in group)
            h = c["beta"] * ((a.sum() - reference_a) - (b.sum() - reference_b))
            q = smoothed(pair["probability"], c)
            chosen = a if pair["probability"] >= 0.5 else b
            losses.append(-q * F.logsigmoid(h) - (1 - q) * F.logsigmoid(-h) - c["sftWeight"] * chosen.mean())
            pair_weights.append(pair["weight"])
            chosen_logprobs.append(chosen.sum().item())
        w = torch.tensor(pair_weights)
        loss = (w * torch.stack(losses)).sum() / w.sum()
        loss.backward()
        norm, _ = optimizer.step(c["learningRate"] * share_of_rate(step, c["steps"], c))
        trace.append({"loss": loss.item(), "chosenLogprob": mean(chosen_logprobs), "norm": norm})
    return {"trace": trace, "weights": weights(model=model)}


def planted_reward(completion):
    return 2 * sum(token < VOCABULARY / 2 for token in completion) / len(completion)


def advantages_of(rewards, values, c):
    advantages, following, next_value = torch.zeros_like(rewards), 0.0, 0.0
    for t in reversed(range(len(rewards))):
        following = rewards[t] + c["gamma"] * next_value - values[t] + c["gamma"] * c["lambda"] * following
        advantages[t], next_value = following, values[t]
    return advantages


def observe(rollouts, models, beta, c):
    """What a round learns from, by sequence, and what is seen of the policy before it learns."""
    policy, reference, critic = models
    seen, scores, kls, entropies = [], [], [], []
    for drawn in rollouts:
        sequence = {"tokens": drawn["prompt"] + drawn["completion"], "prompt": len(drawn["prompt"])}
        old, entropy = policy.logprobs_and_entropies(sequence, c["temperature"])
        log_ratio = reference.logprobs_and_entropies(sequence, c["temperature"])[0] - old
        values = critic.values(sequence)
        score = planted_reward(drawn["completion"])
        if drawn["completion"][-1] >= FIRST_WORD:
            score = min(score, 0) - c["missingEosPenalty"]
        rewards = beta * log_ratio
        rewards[-1] += score
        advantages = advantages_of(rewards, values, c)
        seen.append({"tokens": sequence["tokens"], "old": old, "values": values, "advantages": advantages})
        scores.append(score)
        kls.append((torch.exp(log_ratio) - 1 - log_ratio).sum().item())
        entropies.append(entropy)
    flat = torch.cat([s["advantages"] for s in seen])
    for s in seen:
        s["returns"] = s["advantages"] + s["values"]
        s["advantages"] = (s["advantages"] - flat.mean()) / torch.sqrt(flat.var(unbiased=False) + 1e-8)
    entropy = torch.cat(entropies).mean().item()
    figures = {"score": mean(scores), "kl": mean(kls), "entropy": entropy, "beta": beta}
    return {key(s["tokens"]): s for s in seen}, figures


def joined(sequences, experience, name):
    return torch.cat([experience[key(s["tokens"])][name] for s in sequences])


def update_critic(critic, optimizer, sequences, experience, rates, c):
    old, returns = (joined(sequences, experience, name) for name in ("values", "returns"))
    now = torch.cat([critic.values(s) for s in sequences])
    held = old + (now - old).clamp(-c["clipValue"], c["clipValue"])
    loss = 0.5 * torch.maximum((now - returns) ** 2, (held - returns) ** 2).mean()
    loss.backward()
    norm, head_norm = optimizer.step(*rates)
    return {"valueLoss": loss.item(), "criticNorm": norm, "criticHeadNorm": head_norm}


def update_policy(policy, optimizer, sequences, experience, rate, c):
    old, advantages = (joined(sequences, experience, name) for name in ("old", "advantages"))
    outputs = [policy.logprobs_and_entropies(s, c["temperature"]) for s in sequences]
    logprobs, entropies = (torch.cat(parts) for parts in zip(*outputs))
    ratio = torch.exp(logprobs - old)
    free, clipped = -advantages * ratio, -advantages * ratio.clamp(1 - c["clipRatio"], 1 + c["clipRatio"])
    loss = (torch.maximum(free, clipped) - c["entropyBonus"] * entropies).mean()
    loss.backward()
    norm, _ = optimizer.step(rate)
    return {"policyLoss": loss.item(), "clipFraction": (clipped > free).float().mean().item(), "norm": norm}


def ppo(inputs):
    c = inputs["config"]
    policy, reference, critic = Tiny(), Tiny(), Tiny(inputs["heads"])
    policy_optimizer, critic_optimizer = Optimizer(policy, c), Optimizer(critic, c)
    beta, passes, trace = c["beta"], iter(inputs["passes"]), []
    for step in range(c["steps"]):
        with torch.no_grad():
            experience, row = observe(inputs["rollouts"][step], (policy, reference, critic), beta, c)
        share = share_of_rate(step, c["steps"], c)
        learns = step >= c["criticWarmupSteps"]
        policy_share = learns and share_of_rate(step - c["criticWarmupSteps"], c["steps"] - c["criticWarmupSteps"], c)
        updates = []
        for _ in range(c["updateEpochs"] * c["minibatches"]):
            sequences = [sequence for (sequence,) in next(passes)]
            rates = c["criticLearningRate"] * share, c["criticHeadLearningRate"] * share
            figures = {"policyLoss": 0.0, "clipFraction": 0.0, "norm": 0.0}
            figures |= update_critic(critic, critic_optimizer, sequences, experience, rates, c)
            if learns:
                assert [sequence for (sequence,) in next(passes)] == sequences
                rate = c["learningRate"] * policy_share
                figures |= update_policy(policy, policy_optimizer, sequences, experience, rate, c)
            updates.append(figures)
        trace.append(row | {name: mean([u[name] for u in updates]) for name in updates[0]})
        error = min(max(row["kl"] / c["klTarget"] - 1, -0.2), 0.2)
        beta *= 1 + error * len(inputs["rollouts"][step]) / c["klHorizon"]
    drawings = [[d | {"logprobs": [round(l, 6) for l in d["logprobs"]]} for d in step] for step in inputs["rollouts"]]
    return {"trace": trace, "weights": weights(policy=policy, critic=critic), "drawings": drawings}


def main():
    with open(sys.argv[2]) as file:
        inputs = json.load(file)
    out = {recipe.__name__: recipe(inputs[recipe.__name__]) for recipe in (sft, reward, dpo, ppo)}
    with open(sys.argv[3], "w") as file:
        file.write(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
