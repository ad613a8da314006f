// The price of KL from step to step: fixed, or moved so that the measured KL nears a target (arXiv 1909.08593, section 2.2).

/** The next beta after `completions` completions at `kl` nats each: the error is held within a fifth, so beta moves slowly. */
export function adaptedBeta(
  beta: number,
  { kl, target, completions, horizon }: { kl: number; target: number; completions: number; horizon: number },
): number {
  const error = Math.min(Math.max(kl / target - 1, -0.2), 0.2)
  return beta * Math.max(1 + (error * completions) / horizon, 0)
}
