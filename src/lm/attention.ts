// How the layers of a config attend: the fused kernels where they serve, plain ops for windows that cut something off and for
// capped scores. Legend: T tokens, H query heads, K key-value heads, G = H/K, D head width, B rows of a decoding batch, L cached positions.
import {
  bmm,
  cat,
  decodeAttention,
  divScalar,
  fromArray,
  maskedFill,
  mulScalar,
  narrow,
  ones,
  packedAttention,
  permute,
  reshape,
  softmax,
  tanh,
  type Tensor,
  toCopy,
  transpose,
  tril,
  triu,
} from '#torch'
import type { ModelConfig } from './config.ts'
import type { KvCache } from './kv-cache.ts'
import type { Upload } from './parameters.ts'

/** q [T,H,D], k and v [T,K,D], answers [T,H,D]. */
export type Attend = (q: Tensor, k: Tensor, v: Tensor, layer: number) => Tensor

/** Rows of queries that plain attention takes at once: scores stay linear in the length where there is a window. */
const QUERY_ROWS = 512

/** Whether what sequences begin with may stand once before them: windows, caps and frequencies that depend on a sequence's length say no. */
export function mayShareStems(c: ModelConfig): boolean {
  const byLength = c.ropeScaling?.type === 'dynamic' || c.ropeScaling?.type === 'longrope'
  return !c.window && c.attentionCap === undefined && !byLength
}

/** Causal attention inside each packed segment, after the segment that it continues; `upload` brings offsets to the device. */
export function attendPacked(
  c: ModelConfig,
  { offsets, stems }: { offsets: Int32Array; stems?: Int32Array },
  upload: Upload,
): Attend {
  const longest = offsets.slice(1).reduce((most, end, n) => Math.max(most, end - offsets[n]!), 0)
  const segments = {
    offsets: upload(fromArray(offsets)),
    ...(stems?.some((stem) => stem >= 0) && { stems: upload(fromArray(stems)) }),
  }
  return (q, k, v, layer) => {
    const form = formOf(c, layer, longest)
    if (form.isPlain) return packedAttention(q, k, v, { ...segments, scale: form.scale })
    const parts: Tensor[] = []
    for (let n = 0; n + 1 < offsets.length; n++)
      for (let from = offsets[n]!; from < offsets[n + 1]!; from += QUERY_ROWS) {
        const to = Math.min(offsets[n + 1]!, from + QUERY_ROWS)
        parts.push(attendBlock(q, k, v, { ...form, start: offsets[n]!, from, to }))
      }
    return cat(parts)
  }
}

/** One new token a row against the first B rows of the cache, its own key and value included: lengths_B positions are filled. */
export function attendCached(
  c: ModelConfig,
  cache: KvCache,
  o: { lengths_B: Int32Array; upload: Upload },
): (q: Tensor, layer: number) => Tensor {
  const { lengths_B, upload } = o
  const B = lengths_B.length
  const longest = lengths_B.reduce((most, length) => Math.max(most, length), 0)
  const lengths = upload(fromArray(lengths_B))
  // By window, made here: a layer's scope would end them.
  const masks = new Map<number, Tensor>()
  const forms = Array.from({ length: c.layers }, (_, layer) => formOf(c, layer, longest))
  for (const { isPlain, window = longest } of forms)
    if (!isPlain && !masks.has(window)) masks.set(window, upload(outsideMask(lengths_B, { longest, window })))
  return (q, layer) => {
    const form = forms[layer]!
    const { keys, values } = cache.layers[layer]!
    if (form.isPlain)
      return decodeAttention(q, narrow(keys, 0, 0, B), narrow(values, 0, 0, B), { lengths, scale: form.scale })
    const { keyValueHeads: K, heads: H, headDim: D } = c
    const filled = (t: Tensor): Tensor => reshape(narrow(narrow(t, 0, 0, B), 2, 0, longest), [B * K, longest, D])
    const raw = bmm(reshape(q, [B * K, H / K, D]), transpose(filled(keys), 1, 2))
    const scores = reshape(capped(mulScalar(raw, form.scale), form.cap), [B, H, longest])
    const weights = softmax(maskedFill(scores, masks.get(form.window ?? longest)!, -Infinity), -1)
    return reshape(bmm(reshape(weights, [B * K, H / K, longest]), filled(values)), [B, H, D])
  }
}

/** cap * tanh(x / cap); x itself without a cap. */
export function capped(x: Tensor, cap: number | undefined): Tensor {
  return cap === undefined ? x : mulScalar(tanh(divScalar(x, cap)), cap)
}

type Form = { scale: number; cap: number | undefined; window: number | undefined; isPlain: boolean }

/** `isPlain`: the fused kernels serve, since nothing is capped and nothing of `longest` tokens lies outside the window. */
export function formOf(c: ModelConfig, layer: number, longest: number): Form {
  const scale = 1 / Math.sqrt(c.queryScalar ?? c.headDim) / (c.isScaledByLayer ? layer + 1 : 1)
  const size = c.window?.layers[layer] ? c.window.size : undefined
  const window = size !== undefined && size < longest ? size : undefined
  return { scale, cap: c.attentionCap, window, isPlain: window === undefined && c.attentionCap === undefined }
}

/** Queries [from, to) of the segment that begins at `start`. */
function attendBlock(q: Tensor, k: Tensor, v: Tensor, o: Form & { start: number; from: number; to: number }): Tensor {
  const [H, D, K] = [q.shape[1]!, q.shape[2]!, k.shape[1]!]
  const first = o.window === undefined ? o.start : Math.max(o.start, o.from - o.window + 1)
  const [n, m] = [o.to - o.from, o.to - first]
  const part = (x: Tensor): Tensor => transpose(narrow(x, 0, first, m), 0, 1)
  // [n,H,D] as [K, G n, D]: the heads of a group share its keys in one product.
  const grouped = permute(reshape(narrow(q, 0, o.from, n), [n, K, H / K, D]), [1, 2, 0, 3])
  const raw = bmm(reshape(grouped, [K, (H / K) * n, D]), transpose(part(k), 1, 2))
  let scores = reshape(capped(mulScalar(raw, o.scale), o.cap), [K, H / K, n, m])
  const all = ones([n, m], { dtype: 'bool', device: q.device })
  // Row r is token from + r, column j is token first + j.
  const diagonal = o.from - first
  scores = maskedFill(scores, triu(all, diagonal + 1), -Infinity)
  if (o.window !== undefined) scores = maskedFill(scores, tril(all, diagonal - o.window), -Infinity)
  const weights = reshape(softmax(scores, -1), [K, (H / K) * n, m])
  const mixed = reshape(bmm(weights, part(v)), [K, H / K, n, D])
  return reshape(permute(mixed, [2, 0, 1, 3]), [n, H, D])
}

/** [B,1,L], true where a cached position lies outside a row's window or behind its end. */
function outsideMask(lengths_B: Int32Array, { longest, window }: { longest: number; window: number }): Tensor {
  const isOutside = new Uint8Array(lengths_B.length * longest)
  lengths_B.forEach((length, b) => {
    for (let l = 0; l < longest; l++) isOutside[b * longest + l] = Number(l >= length || l < length - window)
  })
  return toCopy(fromArray(isOutside, [lengths_B.length, 1, longest]), { dtype: 'bool' })
}
