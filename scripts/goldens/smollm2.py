"""What transformers makes of SmolLM2-135M-Instruct: log-probabilities of prompts, greedy answers, tokens of odd strings.

usage: python scripts/goldens/smollm2.py FOLDER tests/goldens/smollm2.json
FOLDER is what `hone import` made of the GGUF file that scripts/smollm2.ts fetches. Float32, eager attention. The strings
are drawn from ALPHABET by a linear congruential generator, which the test repeats; of their tokens only hashes are kept.
"""
import hashlib
import json
import pathlib
import sys

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer

QUESTIONS = [
    "What is the capital of France?", "Write one sentence about rain.", "What is 7 + 5?", "Name three colours.",
    "Translate 'good morning' into Spanish.", "Who wrote Hamlet?", "Give a synonym of 'quick'.", "What do bees make?",
    "How many days are in a week?", "Finish: roses are red,", "Is the sun a star?", "What is H2O?",
    "Write a haiku about the sea.", "What comes after Tuesday?", "Name a large animal.", "Spell 'banana' backwards.",
    "What is the opposite of hot?", "Say hello in French.", "Why is the sky blue?", "List two fruits.",
]
NEW_TOKENS = 24
ALPHABET = [
    "a", "Z", "the", " the", "  ", " ", "\n", "\n\n", "\r\n", "\t", "0", "7", "12", "2024", "3.14", "-", "'s", "'LL", "'t", "don't",
    "!", "...", "?!", "(", ")]", "{}", "\\", '"', "=>", "<|", "|>", "<|im_start|>", "<|im_end|>", "<|endoftext|>", "é", "e\u0301",
    "ß", "İ", "ñandú", "中文", "日本語", "한국어", "مرحبا", "שלום", "हिन्दी", "ไทย", "\u200b", "\u00a0", "\u2028", "\ufeff", "\u0000",
    "😀", "👩\u200d👩\u200d👧", "🇫🇷", "½", "Ⅷ", "٣", "²", "ﬁ", "𝔘", "\U0010ffff", "Ġ", "Ċ", "_", "__init__", "def f(x):", "http://a.b/c?d=e",
]
COUNT, SEED, GROUP = 10_000, 20, 500


def draws(seed: int):
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state >> 16


def main(folder: str, path: pathlib.Path) -> None:
    torch.set_num_threads(2)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    answers = []
    for question in QUESTIONS:
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False)
        tokens = torch.tensor([prompt])
        with torch.no_grad():
            answer = model.generate(
                tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=NEW_TOKENS, do_sample=False)[0].tolist()
            logprobs = model(torch.tensor([answer])).logits[0].log_softmax(-1)
        chosen = logprobs[:-1].gather(-1, torch.tensor(answer[1:])[:, None]).squeeze(-1)
        answers.append({
            "question": question, "prompt": prompt, "answer": answer[len(prompt):],
            "text": tokenizer.decode(answer[len(prompt):], skip_special_tokens=True),
            "logprobs": [round(v, 5) for v in chosen.tolist()],
        })
        print(question, "->", answers[-1]["text"])
    draw = draws(SEED)
    hashes = []
    for _ in range(COUNT // GROUP):
        digest = hashlib.sha256()
        for _ in range(GROUP):
            text = "".join(ALPHABET[next(draw) % len(ALPHABET)] for _ in range(1 + next(draw) % 12))
            digest.update((" ".join(map(str, tokenizer.encode(text, add_special_tokens=False))) + "\n").encode())
        hashes.append(digest.hexdigest())
    strings = {"alphabet": ALPHABET, "count": COUNT, "seed": SEED, "group": GROUP, "sha256": hashes}
    golden = {"transformers": transformers.__version__, "answers": answers, "strings": strings}
    path.write_text(json.dumps(golden) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
