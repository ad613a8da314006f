// A Llama folder small enough to be made, written and read within a test: 32 wide, 2 layers, 4 heads over 2, a byte-level
// tokenizer that cuts as SmolLM's does. Weights are normal draws.
import { parseConfig } from '../config.ts'
import { createFolder } from '../create-folder.ts'
import { trainBpe } from '#text'

export const TEMPLATE = '{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}'

const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  vocab_size: 300,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  tie_word_embeddings: true,
  max_position_embeddings: 128,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 0,
  torch_dtype: 'float32',
}

/** Writes `to`. `changes` to config.json; `preTokenizer` and `more` to tokenizer.json. */
export function tinyModel(
  to: string,
  { changes = {}, tokenizer = {} }: { changes?: Record<string, unknown>; tokenizer?: Record<string, unknown> } = {},
): void {
  const files = trainBpe({
    texts: ['the cat sat on the mat, and the rat sat on the cat. '.repeat(20)],
    vocabSize: 280,
    specials: { pad: '<|pad|>', bos: '<|begin|>', eos: '<|end|>', more: ['<|user|>'] },
  })
  const json = { ...(JSON.parse(files['tokenizer.json']) as object), pre_tokenizer: SMOLLM, ...tokenizer }
  const settings = { ...(JSON.parse(files['tokenizer_config.json']) as object), chat_template: TEMPLATE }
  const extraFiles = {
    ...files,
    'tokenizer.json': JSON.stringify(json),
    'tokenizer_config.json': JSON.stringify(settings),
  }
  createFolder({ config: parseConfig({ ...CONFIG, ...changes }, 'config.json'), seed: 4, to, extraFiles })
}

const SMOLLM = {
  type: 'Sequence',
  pretokenizers: [
    { type: 'Digits', individual_digits: true },
    { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
  ],
}
