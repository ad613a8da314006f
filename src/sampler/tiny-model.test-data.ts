// A folder with a random tiny model, a tokenizer of 300 tokens and a chat template.
import { createFolder } from '#lm'
import { trainBpe } from '#text'

const TEMPLATE = `{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}`

export function createTinyModel(
  to: string,
  { contextTokens, seed = 1 }: { contextTokens: number; seed?: number },
): void {
  const texts = Array.from({ length: 40 }, (_, i) => `${i}. What colour is {"the sky": ${i}}? It is blue, I say.`)
  const files = trainBpe({ texts, vocabSize: 300, specials: { pad: '<pad>', eos: '<end>' } })
  const { model } = JSON.parse(files['tokenizer.json']) as { model: { vocab: object } }
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize: Object.keys(model.vocab).length,
      hiddenSize: 16,
      intermediateSize: 32,
      layers: 1,
      heads: 2,
      keyValueHeads: 1,
      headDim: 8,
      rmsNormEps: 1e-5,
      ropeTheta: 10_000,
      tieWordEmbeddings: false,
      maxPositionEmbeddings: contextTokens,
      padTokenId: 0,
      eosTokenIds: [1],
      dtype: 'float32',
    },
    seed,
    to,
    extraFiles: { ...files, 'chat_template.jinja': TEMPLATE },
  })
}
