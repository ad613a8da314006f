// Minimum of a smooth function of many numbers by L-BFGS (Nocedal 1980; Liu and Nocedal 1989) with a backtracking line
// search. The function fills its gradient. Left out: bounds (transform the parameter) and strong Wolfe conditions (a step whose
// curvature is not positive is not remembered).
import { invariant } from '#errors'

/** Writes the gradient at x into `gradient` and answers the value. */
export type Objective = (x: Float64Array, gradient: Float64Array) => number
export type Minimum = { x: Float64Array; value: number; steps: number; isConverged: boolean }

const SUFFICIENT = 1e-4
const MOST_HALVINGS = 40

/** Converged when no entry of the gradient exceeds `tolerance` times max(1, |value|). The start is not changed. */
export function minimise(
  objective: Objective,
  start: ArrayLike<number>,
  { tolerance = 1e-8, mostSteps = 1000, memory = 10 }: { tolerance?: number; mostSteps?: number; memory?: number } = {},
): Minimum {
  const n = start.length
  let x = Float64Array.from(start)
  let gradient = new Float64Array(n)
  let value = objective(x, gradient)
  invariant(Number.isFinite(value), `a minimum needs a start of finite value, got ${value}`)
  const past: { step: Float64Array; change: Float64Array; curvature: number }[] = []
  for (let steps = 0; steps < mostSteps; steps++) {
    if (largest(gradient) <= tolerance * Math.max(1, Math.abs(value))) return { x, value, steps, isConverged: true }
    let direction = descent(gradient, past)
    let slope = dot(direction, gradient)
    if (!(slope < 0)) {
      past.length = 0
      direction = gradient.map((g) => -g)
      slope = -dot(gradient, gradient)
    }
    let scale = past.length === 0 ? Math.min(1, 1 / largest(gradient)) : 1
    let next = x
    let nextGradient = gradient
    let nextValue = value
    let halvings = 0
    for (; halvings < MOST_HALVINGS; halvings++, scale /= 2) {
      next = x.map((at, i) => at + scale * direction[i]!)
      nextGradient = new Float64Array(n)
      nextValue = objective(next, nextGradient)
      if (nextValue <= value + SUFFICIENT * scale * slope) break
    }
    // No step goes down by what rounding lets through: this is the minimum, as far as doubles can tell.
    if (halvings === MOST_HALVINGS) return { x, value, steps, isConverged: largest(gradient) < 1e-4 }
    const step = next.map((at, i) => at - x[i]!)
    const change = nextGradient.map((g, i) => g - gradient[i]!)
    const curvature = dot(step, change)
    if (curvature > 1e-12 * dot(change, change)) {
      past.push({ step, change, curvature })
      if (past.length > memory) past.shift()
    }
    x = next
    gradient = nextGradient
    value = nextValue
  }
  return { x, value, steps: mostSteps, isConverged: false }
}

/** The two-loop recursion: minus the inverse Hessian, as the past steps tell it, times the gradient. */
function descent(
  gradient: Float64Array,
  past: readonly { step: Float64Array; change: Float64Array; curvature: number }[],
): Float64Array {
  const q = gradient.map((g) => -g)
  const shares = new Array<number>(past.length)
  for (let k = past.length - 1; k >= 0; k--) {
    const { step, change, curvature } = past[k]!
    shares[k] = dot(step, q) / curvature
    addScaled(q, change, -shares[k]!)
  }
  const last = past.at(-1)
  if (last) {
    const scale = last.curvature / dot(last.change, last.change)
    for (let i = 0; i < q.length; i++) q[i]! *= scale
  }
  past.forEach(({ step, change, curvature }, k) => addScaled(q, step, shares[k]! - dot(change, q) / curvature))
  return q
}

function addScaled(to: Float64Array, from: Float64Array, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * from[i]!
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

function largest(x: Float64Array): number {
  let most = 0
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i]!))
  return most
}
