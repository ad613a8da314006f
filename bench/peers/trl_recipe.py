"""TRL's trainers in the race: rows already tokenised, SDPA attention, fused AdamW, no gradient checkpointing, logging off.
SETTING is sequential (rows in the order given) or group_by_length (rows of like length in one batch: less padding).
python bench/peers/trl_recipe.py WORK.json SETTING
"""

import json
import os
import resource
import sys
import tempfile
import time

import torch
import transformers
import trl
from datasets import Dataset
from peft import LoraConfig
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedTokenizerFast, TrainerCallback

with open(sys.argv[1]) as f:
    work = json.load(f)
setting = sys.argv[2]
is_sft = work["what"] == "sft"
torch.set_num_threads(work["threads"])
torch.manual_seed(1)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

names = {"<pad>": 0, "<s>": 1, "</s>": 2}
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel(names, unk_token="<pad>")), pad_token="<pad>", bos_token="<s>", eos_token="</s>"
)

rows = work["rows"]
if is_sft:
    model = AutoModelForCausalLM.from_pretrained(work["model"], attn_implementation="sdpa", dtype=torch.float32)
    data = Dataset.from_list(
        [
            {
                "input_ids": row["prompt"] + row["completion"],
                "completion_mask": [0] * len(row["prompt"]) + [1] * len(row["completion"]),
            }
            for row in rows
        ]
    )
else:
    model = AutoModelForSequenceClassification.from_pretrained(
        work["model"], attn_implementation="sdpa", dtype=torch.float32, num_labels=1
    )
    model.config.pad_token_id = 0
    data = Dataset.from_list(
        [
            {"chosen_ids": row["prompt"] + row["completion"], "rejected_ids": row["prompt"] + row["rejected"]}
            for row in rows
        ]
    )


class Clock(TrainerCallback):
    """From the end of the first step on."""

    start = None
    seconds = cpu = 0.0

    def on_step_end(self, args, state, control, **kwargs):
        now = (time.perf_counter(), time.process_time())
        if self.start is None:
            self.start = now
        self.seconds, self.cpu = now[0] - self.start[0], now[1] - self.start[1]


clock = Clock()
shared = dict(
    output_dir=tempfile.mkdtemp(),
    use_cpu=True,
    bf16=False,
    per_device_train_batch_size=work["batchSize"],
    num_train_epochs=1,
    learning_rate=1e-5,
    max_length=None,
    optim="adamw_torch_fused",
    gradient_checkpointing=False,
    logging_steps=1_000_000,
    save_strategy="no",
    report_to="none",
    disable_tqdm=True,
    dataloader_pin_memory=False,
)
if is_sft or setting == "sequential":
    shared["train_sampling_strategy"] = setting
lora = None
if work["isLora"]:
    lora = LoraConfig(
        r=16,
        lora_alpha=32,
        target_modules="all-linear",
        task_type="CAUSAL_LM" if is_sft else "SEQ_CLS",
        modules_to_save=None if is_sft else ["score"],
    )
made = trl.SFTConfig(completion_only_loss=True, **shared) if is_sft else trl.RewardConfig(**shared)
trainer = (trl.SFTTrainer if is_sft else trl.RewardTrainer)(
    model=model, args=made, train_dataset=data, processing_class=tokenizer, peft_config=lora, callbacks=[clock]
)

sizes = []
collate = trainer.data_collator


def counted(examples):
    sizes.append(sum(len(example["input_ids"]) for example in examples) if is_sft else len(examples))
    return collate(examples)


answer = {}
if is_sft:
    with torch.no_grad():
        total, count = 0.0, 0
        for row in rows[: work["batchSize"]]:
            ids = torch.tensor([row["prompt"] + row["completion"]])
            logits = trainer.model(input_ids=ids).logits[0, len(row["prompt"]) - 1 : -1]
            targets = ids[0, len(row["prompt"]) :]
            total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
            count += len(targets)
        answer["firstLoss"] = total / count
trainer.data_collator = counted
trainer.train()
done = sum(sizes[1:])
answer |= {
    "setting": setting.replace("_", " "),
    "version": f"trl {trl.__version__}, torch {torch.__version__}, transformers {transformers.__version__}",
    "perSecond": done / clock.seconds,
    "perCpuSecond": done / clock.cpu,
    "peakMemoryBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
}
sys.stdout.flush()
print(json.dumps(answer))
os._exit(0)
