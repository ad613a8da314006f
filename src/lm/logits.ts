// From last hidden states to what is said of the next token, where the family caps its logits too (Gemma 2).
// Legend: T rows, E hidden width, V vocabulary.
import {
  cat,
  divScalar,
  exp,
  gather,
  logSoftmax,
  mul,
  narrow,
  neg,
  squeeze,
  sumDim,
  type Tensor,
  toCopy,
  unsqueeze,
} from '#torch'
import type { Arithmetic } from './arithmetic.ts'
import { capped } from './attention.ts'
import type { Decoder } from './decoder.ts'

/** Rows of capped logits at a time. Gradients keep them all: such a family wants shorter micro-batches. */
const CAPPED_ROWS = 256

/** [T,V] of hidden_TE. */
export function logitsOf({ head, config }: Decoder, hidden_TE: Tensor, { product }: Arithmetic): Tensor {
  return capped(product(hidden_TE, head!), config.logitCap)
}

/** Of targets_T, and the entropies of the same distributions, as torch's `tokenLogprobs`. */
export function logprobsOf(
  decoder: Decoder,
  hidden_TE: Tensor,
  targets_T: Tensor,
  { temperature, arithmetic }: { temperature: number; arithmetic: Arithmetic },
): { logprobs_T: Tensor; entropies_T: Tensor } {
  if (decoder.config.logitCap === undefined)
    return arithmetic.logprobs(hidden_TE, decoder.head!, targets_T, { temperature })
  const targets = unsqueeze(toCopy(targets_T, { dtype: 'int64' }), 1)
  const T = hidden_TE.shape[0]!
  const logprobs: Tensor[] = []
  const entropies: Tensor[] = []
  for (let from = 0; from < T; from += CAPPED_ROWS) {
    const rows = Math.min(CAPPED_ROWS, T - from)
    const part = (x: Tensor): Tensor => narrow(x, 0, from, rows)
    const logp = logSoftmax(divScalar(logitsOf(decoder, part(hidden_TE), arithmetic), temperature), -1)
    logprobs.push(squeeze(gather(logp, 1, part(targets)), 1))
    entropies.push(neg(sumDim(mul(exp(logp), logp), [1])))
  }
  return { logprobs_T: cat(logprobs), entropies_T: cat(entropies) }
}
