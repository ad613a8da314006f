// Tensors as integers: an index into the addon's table with a generation, so that a freed handle is an error, never
// another tensor. Scopes free what was made inside them; a finalizer is only the net for what lives outside every scope.
// Tensors and handles belong to one thread (each worker has its own table).
import { invariant } from '#errors'
import { addon } from './addon.ts'

export type DType = keyof typeof DTYPES

// libtorch's c10::ScalarType numbers.
const DTYPES = {
  uint8: 0,
  int8: 1,
  int16: 2,
  int32: 3,
  int64: 4,
  float16: 5,
  float32: 6,
  float64: 7,
  bool: 11,
  bfloat16: 15,
} as const

const NAMES = new Map<number, DType>(Object.entries(DTYPES).map(([name, code]) => [code, name as DType]))

export class Tensor {
  /** The addon's number of this tensor. */
  readonly handle: number
  #shape: readonly number[] | undefined
  #dtype: DType | undefined

  /** Not for callers: tensors come from ops. */
  constructor(handle: number) {
    this.handle = handle
  }

  get shape(): readonly number[] {
    this.#shape ??= addon().shape(this.handle)
    return this.#shape
  }

  get dtype(): DType {
    this.#dtype ??= dtypeName(addon().dtype(this.handle))
    return this.#dtype
  }

  /** `cpu`, `cuda:0`, ... */
  get device(): string {
    return addon().device(this.handle)
  }

  get requiresGrad(): boolean {
    return addon().requiresGrad(this.handle)
  }

  /** Only leaves may change it. */
  set requiresGrad(isNeeded: boolean) {
    addon().setRequiresGrad(this.handle, isNeeded)
  }

  /** The summed gradient of a leaf, or null; a new handle to the same numbers. */
  get grad(): Tensor | null {
    const handle = addon().grad(this.handle)
    return handle === undefined ? null : wrap(handle)
  }

  /** Replaces the gradient; null drops it. */
  set grad(gradient: Tensor | null) {
    addon().setGrad(this.handle, gradient?.handle)
  }

  /** Lets go of it now. Using it afterwards is an EngineError; freeing it twice is not. */
  free(): void {
    addon().free(this.handle)
  }
}

/** Draws for `rand` and `randn`; the same seed gives the same numbers on the same library. */
export class Generator {
  readonly handle: number
  constructor(handle: number) {
    this.handle = handle
  }
  free(): void {
    addon().free(this.handle)
  }
}

/** A generator of its own, seeded by a safe integer. */
export function manualGenerator(seed: number, device = 'cpu'): Generator {
  const generator = new Generator(addon().generator(seed, device))
  net.register(generator, generator.handle)
  return generator
}

/**
 * Runs fn and frees every tensor made inside but those it returns (alone or inside arrays, plain objects and maps) or
 * passes to `keep`. Nests; frees on throw as well. Synchronous: a promise is an error, since tensors made later would be missed.
 */
export function scope<T>(fn: () => T): T {
  addon().enterScope()
  depth++
  let kept: Tensor[] = []
  try {
    const result = fn()
    invariant(!(result instanceof Promise), 'scope: the function must be synchronous')
    kept = tensorsIn(result)
    return result
  } finally {
    depth--
    addon().leaveScope(handles(kept))
    if (depth === 0) for (const t of kept) net.register(t, t.handle)
  }
}

/** Takes it out of all scopes: it lives until `free` (or until the collector finds it). */
export function keep(t: Tensor): Tensor {
  addon().keep(t.handle)
  if (depth > 0) net.register(t, t.handle)
  return t
}

/** Tensors alive in this thread's table: what a leak test compares. */
export function liveTensors(): number {
  return addon().live()
}

/** Wraps a new handle. Not for callers. */
export function wrap(handle: number): Tensor {
  const t = new Tensor(handle)
  if (depth === 0) net.register(t, handle)
  return t
}

/** Wraps several. Not for callers. */
export function wrapAll(made: number[]): Tensor[] {
  return made.map(wrap)
}

/** Not for callers. */
export function handles(list: readonly Tensor[]): number[] {
  return list.map((t) => t.handle)
}

/** libtorch's number of a dtype; undefined and null pass as "the default". */
export function dtypeCode(dtype: DType | null | undefined): number | undefined {
  return dtype ? DTYPES[dtype] : undefined
}

export function dtypeName(code: number): DType {
  const name = NAMES.get(code)
  if (!name) throw new Error(`a dtype that hone does not use: ScalarType ${code}`)
  return name
}

let depth = 0
const net = new FinalizationRegistry<number>((handle) => addon().free(handle))

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value]
  if (value instanceof Map) return [...value.values()].flatMap(tensorsIn)
  if (Array.isArray(value)) return value.flatMap(tensorsIn)
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return Object.values(value).flatMap(tensorsIn)
  return []
}
