// Every family that hone reads, by its `model_type` and by the class that config.json names.
import { EngineError } from '#errors'
import type { Family } from './family.ts'
import { gemma2 } from './gemma2.ts'
import { gemma3 } from './gemma3.ts'
import { gpt2 } from './gpt2.ts'
import { gptNeox } from './gpt-neox.ts'
import { llama } from './llama.ts'
import { mistral } from './mistral.ts'
import { olmo2 } from './olmo2.ts'
import { phi3 } from './phi3.ts'
import { qwen2 } from './qwen2.ts'
import { qwen3 } from './qwen3.ts'

export type { Design, Family } from './family.ts'

export const FAMILIES: readonly Family[] = [llama, mistral, qwen2, qwen3, gemma2, gemma3, phi3, olmo2, gptNeox, gpt2]

/** The family of a class of transformers. */
export function familyOf({ architecture }: { architecture: string }): Family {
  const found = FAMILIES.find(({ causal, classifier }) => architecture === causal || architecture === classifier)
  if (!found)
    throw new EngineError(
      `architecture: expected one of ${FAMILIES.map(({ causal }) => causal).join(', ')}, or its ForSequenceClassification, got ${architecture}`,
    )
  return found
}
